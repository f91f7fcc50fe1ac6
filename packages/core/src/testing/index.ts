export { storeContract, type StoreFixture } from './store.contract.ts'
