/** One entry in the queue. */
interface QueueEntry {
  /** Resolves when everybody who entered before for one of the keys has left. */
  readonly reached: Promise<unknown>
  leave(): void
}

/** Lets holders of the same key in one after the other, in the order of their entering; others pass. */
export interface KeyedQueue<Key> {
  enter(keys: readonly Key[]): QueueEntry
}

/** An empty queue. */
export function createKeyedQueue<Key>(): KeyedQueue<Key> {
  const last = new Map<Key, Promise<void>>()
  return {
    enter: (keys) => {
      const before = keys.map((key) => last.get(key)).filter((each) => each !== undefined)
      const { promise, resolve } = Promise.withResolvers<void>()
      for (const key of keys) last.set(key, promise)
      return {
        reached: before.length > 0 ? Promise.all(before) : Promise.resolve(),
        leave: () => {
          for (const key of keys) if (last.get(key) === promise) last.delete(key)
          resolve()
        },
      }
    },
  }
}
