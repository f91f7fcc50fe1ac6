export { AddressSeats } from './bounds/address-seats.ts'
export { BytePool, type Holder } from './bounds/byte-pool.ts'
export { createSync } from './sync.ts'
export type { LinkStatus, Sync, SyncOptions, SyncStatus } from './types.ts'
