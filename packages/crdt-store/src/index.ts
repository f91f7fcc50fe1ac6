export { createMemoryStore, type MemoryStore } from './storage/memory-store.ts'
