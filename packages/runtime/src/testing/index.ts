export { openAlone, type OpenPlane } from './fixture.ts'
export { parameter } from './plane-table.ts'
export { planeContract } from './plane.contract.ts'
