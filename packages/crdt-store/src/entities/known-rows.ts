import { entityKey, type EntityKey, type Store } from '@peerplane/core'

import { pages } from '../storage/pages.ts'
import { rowId, rowKeyOnly, rowKeys } from './keys.ts'

/** Which entities have a row, so that folding ten thousand new ones does not look for each of them. */
export class KnownRows {
  readonly #store: Store
  #keys = new Set<EntityKey>()
  #types = new Map<string, Promise<void>>()
  #complete = new Set<string>()

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
    return this.#keys.has(key) || !this.#complete.has(typeOf(key))
  }

  /** Finds out whether the entity has a row. */
  async find(key: EntityKey): Promise<boolean> {
    if (!this.mayHave(key)) return false
    const keys = this.#keys
    if (!keys.has(key) && (await this.#store.count(rowKeyOnly(key))) > 0) keys.add(key)
    return keys.has(key)
  }

  add(key: EntityKey): void {
    this.#keys.add(key)
  }

  /** The row of the entity is gone. */
  delete(key: EntityKey): void {
    this.#keys.delete(key)
  }

  /** Forgets all rows. */
  clear(): void {
    this.#keys = new Set()
    this.#types = new Map()
    this.#complete = new Set()
  }

  async #scan(type: string): Promise<void> {
    // Of before a `clear`, if there is one meanwhile.
    const keys = this.#keys
    const complete = this.#complete
    for await (const page of pages(this.#store, rowKeys(type))) {
      for (const { key } of page) keys.add(entityKey(type, rowId(key, type)))
    }
    complete.add(type)
  }
}

const typeOf = (key: EntityKey): string => key.slice(0, key.indexOf('/'))
