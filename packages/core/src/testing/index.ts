export { cryptoContract } from './crypto.contract.ts'
export { storeContract, type StoreFixture } from './store.contract.ts'
export { deterministicCrypto, ManualClock, seededRandom } from './deterministic.ts'
