export { runSeed, leastWork, type RunOptions, type RunReport } from './campaign/run.ts'
export type { Rule, Violation } from './campaign/witness.ts'
export type { AmbientFault, FaultCounts, FaultKind, MomentaryFault } from './fleet/faults.ts'
