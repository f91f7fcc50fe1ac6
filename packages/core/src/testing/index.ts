export { cryptoContract } from './crypto.contract.ts'
export { storeContract, type StoreFixture } from './store.contract.ts'
