export { openAlone, type OpenPlane } from './fixture.ts'
export { planeContract } from './plane.contract.ts'
