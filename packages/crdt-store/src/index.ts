export type { Frozen } from './log/forks.ts'
export type { HistoryPart } from './log/history.ts'
export type { CommitOptions, Committed, Log, LogOptions, LogStatus, OnForked } from './log/log.ts'
export { openLog } from './log/open-log.ts'
export { foundedAside, holdsCommits, spaceOf, spaceWrite } from './log/restore.ts'
export { isWitnessed } from './log/seen-tips.ts'
export { checkedStore, type ClearableStore } from './storage/checked-store.ts'
export { batchOfWrite } from './storage/inspect.ts'
export { createMemoryStore, type MemoryStore } from './storage/memory-store.ts'
export type {
  DeclaredModel,
  Entities,
  EntitiesOptions,
  ListedState,
  ListQuery,
  Refold,
} from './entities/entities.ts'
export { inListOrder, isListed } from './entities/listing.ts'
export type { LifecycleName } from './entities/lifecycles.ts'
export { openEntities } from './entities/open-entities.ts'
export { shapeSignature } from './entities/shape-signature.ts'
export { nativeModel } from './kernels/native-model.ts'
export { migratedModel } from './migration/migrated-model.ts'
export { eventsModel, valueModel } from './single-writer/writer-model.ts'
