export { AddressPlaces } from './bounds/address-places.ts'
export { createSync } from './sync.ts'
export type { LinkStatus, Sync, SyncOptions, SyncStatus } from './types.ts'
