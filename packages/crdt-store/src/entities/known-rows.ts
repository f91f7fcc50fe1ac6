import { entityKey, type EntityKey, type Store } from '@peerplane/core'

import { rowId, rowKeys } from './keys.ts'

const PAGE = 1000

/** Which entities have a row, so that folding ten thousand new ones does not look for each of them. */
export class KnownRows {
  readonly #store: Store
  readonly #keys = new Set<EntityKey>()
  readonly #types = new Map<string, Promise<void>>()
  readonly #complete = new Set<string>()

  constructor(store: Store) {
    this.#store = store
  }

  /** Finds out about all entities of a type. */
  load(type: string): Promise<void> {
    let loading = this.#types.get(type)
    if (!loading) {
      loading = this.#scan(type).catch((error: unknown) => {
        this.#types.delete(type)
        throw error
      })
      this.#types.set(type, loading)
    }
    return loading
  }

  /** Whether the entity has a row, as far as that is known. */
  has(key: EntityKey): boolean {
    return this.#keys.has(key)
  }

  /** Whether the entity may have a row. */
  mayHave(key: EntityKey): boolean {
    return this.#keys.has(key) || !this.#complete.has(key.slice(0, key.indexOf('/')))
  }

  add(key: EntityKey): void {
    this.#keys.add(key)
  }

  async #scan(type: string): Promise<void> {
    let after: string | undefined
    for (;;) {
      const entries = await this.#store.scan({ ...rowKeys(type, '', after), limit: PAGE })
      for (const { key } of entries) {
        after = rowId(key, type)
        this.#keys.add(entityKey(type, after))
      }
      if (entries.length < PAGE) break
    }
    this.#complete.add(type)
  }
}
