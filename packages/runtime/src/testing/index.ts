export { openAlone, type OpenPlane } from './fixture.ts'
export { parameter } from './parameters.ts'
export { planeContract } from './plane.contract.ts'
