import { PeerplaneError, toHex } from '@peerplane/core'
import type { Entry, KeyRange, Store, Write } from '@peerplane/core'

import { SortedKeys } from './sorted-keys.ts'

/** A store whose content can be copied into a new store. */
export interface MemoryStore extends Store {
  /** Returns a copy of all current pairs. `entries` also works after the store was closed. */
  entries(): readonly Entry[]
}

/**
 * Makes a store in the memory of the process. The new store contains a copy of `content`.
 *
 * Every write takes effect as soon as `write` is called. Whatever the durability of its writes, a memory store loses its content when the process
 * ends. Use a memory store for tests, and for planes that must leave no data on the device. `createMemoryStore(old.entries())` opens a copy of the
 * content of `old`.
 */
export function createMemoryStore(content: readonly Entry[] = []): MemoryStore {
  const values = new Map<string, Entry>()
  const keys = new SortedKeys()
  let closed = false

  const put = ({ key, value }: Write): void => {
    const name = toHex(key)
    if (value) {
      if (!values.has(name)) keys.add(name)
      values.set(name, { key: key.slice(), value: value.slice() })
    } else if (values.delete(name)) {
      keys.delete(name)
    }
  }
  const assertOpen = (): void => {
    if (closed) throw new PeerplaneError('closed', 'the store is closed')
  }
  for (const entry of content) put(entry)

  return {
    async get(key: Uint8Array): Promise<Uint8Array | undefined> {
      assertOpen()
      return values.get(toHex(key))?.value.slice()
    },
    async scan(range: KeyRange): Promise<readonly Entry[]> {
      assertOpen()
      const { from, to, limit = Infinity, reverse = false } = range
      return keys
        .range(toHex(from), toHex(to), limit, reverse)
        .map((name) => copyOf(values.get(name)!))
    },
    async count({ from, to }: Pick<KeyRange, 'from' | 'to'>): Promise<number> {
      assertOpen()
      return keys.range(toHex(from), toHex(to), Infinity, false).length
    },
    async write(writes: readonly Write[]): Promise<void> {
      assertOpen()
      writes.forEach(put)
    },
    async close(): Promise<void> {
      closed = true
    },
    entries: () => [...values.values()].map(copyOf),
  }
}

const copyOf = ({ key, value }: Entry): Entry => ({ key: key.slice(), value: value.slice() })
