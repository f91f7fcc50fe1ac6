export { checkCausal, type CausalViolation, type RegisterOperation } from './check/causal.ts'
export { isLinearizable, type SequentialModel, type TimedOperation } from './check/linearizable.ts'
export { runSeed, leastWork, type RunOptions, type RunReport } from './campaign/run.ts'
export type { Rule, Violation } from './campaign/witness.ts'
export type { AmbientFault, FaultCounts, FaultKind, MomentaryFault } from './fleet/faults.ts'
export {
  InvariantBroken,
  simulate,
  type Action,
  type Invariant,
  type Performed,
  type SimulatedDevice,
  type Simulation,
} from './simulate.ts'
export type { SimRandom } from './world/random.ts'
