export {
  createSync,
  type PeerStatus,
  type Sync,
  type SyncOptions,
  type SyncStatus,
} from './sync.ts'
