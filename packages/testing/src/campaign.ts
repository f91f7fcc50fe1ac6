export { checkCausal, type CausalViolation, type RegisterOperation } from './check/causal.ts'
export { isLinearizable, type SequentialModel, type TimedOperation } from './check/linearizable.ts'
export {
  performSeed,
  runPlan,
  runSeed,
  type CommandPlan,
  type Performance,
  type RunOptions,
  type RunReport,
} from './campaign/run.ts'
export {
  leastWork,
  scenarios,
  type CampaignScenario,
  type ScenarioName,
} from './campaign/scenarios.ts'
export { runDeletions, type DeletionsReport } from './deletions/run.ts'
export { runEvolve, type EvolveReport } from './evolve/run.ts'
export type { Rule, Violation } from './campaign/oracle.ts'
export type { FaultCounts } from './fleet/fault-kinds.ts'
export type { PerturbationCounts } from './fleet/perturber.ts'
export type { Build } from './mixed/build.ts'
export { runMixed, type MixedReport } from './mixed/run.ts'
export { Recorder } from './record/recorder.ts'
export type { Recording } from './record/recording.ts'
export { tellRun } from './record/story.ts'
export type { Regression } from './regressions/regression.ts'
export { reportHtml } from './report/report.ts'
export type { SideReport } from './side/run.ts'
export { runWriters, type WritersReport } from './writers/run.ts'
export { breaks, shrinkCommands, type ShrinkBudget } from './shrink/shrink-commands.ts'
