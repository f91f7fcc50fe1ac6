export type { Frozen } from './log/forks.ts'
export {
  openLog,
  type CommitOptions,
  type Committed,
  type Log,
  type LogOptions,
  type LogSabotage,
  type LogStatus,
} from './log/log.ts'
export { createMemoryStore, type MemoryStore } from './storage/memory-store.ts'
export {
  openEntities,
  type DeclaredModel,
  type Entities,
  type EntitiesOptions,
  type ListedEntity,
  type ListQuery,
} from './entities/entities.ts'
export { shapeSignature } from './entities/shape-signature.ts'
export { nativeModel } from './kernels/native-model.ts'
