export { bodyAt, rootLineage } from './body-at.ts'
export { cryptoContract } from './crypto.contract.ts'
export {
  deviceContract,
  type DeviceFixture,
  type DevicePlane,
  type StoredRecords,
} from './device.contract.ts'
export { randomContract, schedulerContract, type SchedulerFixture } from './environment.contract.ts'
export { anyId, anyText, brokenText } from './any-text.ts'
export { listsContract, type ListedPlane, type ListsFixture } from './lists.contract.ts'
export { journalContract, type JournalFixture } from './journal.contract.ts'
export { networkContract, type NetworkFixture } from './network.contract.ts'
export { stateModelContract, type Choose, type StateModelFixture } from './state-model.contract.ts'
export {
  storeCrashContract,
  storeFailureContract,
  type CrashFixture,
  type FailureFixture,
} from './store-attacks.contract.ts'
export {
  retryContract,
  VirtualTime,
  type RetryFixture,
  type RetryOptions,
  type RetryWorld,
} from './retry.contract.ts'
export { storeContract } from './store.contract.ts'
export type { StoreFixture } from './store-model.ts'
export { deterministicCrypto, ManualClock, seededRandom } from './deterministic.ts'
export {
  anyArguments,
  either,
  isData,
  isFunction,
  isName,
  isOptions,
  isUndefined,
} from './any-argument.ts'
export { declarationTable } from './declaration-table.ts'
export { processorTime } from './processor-time.ts'
export { rounds } from './rounds.ts'
export {
  expectRows,
  faultsOf,
  type FunctionTable,
  type MemberRows,
  type Parameter,
  type Result,
} from './table.ts'
