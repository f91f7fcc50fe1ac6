import { entityKey, type EntityKey, type Store } from '@peerplane/core'

import { pages } from '../storage/pages.ts'
import { absentKey, absentKeys, rowId, rowKeyOnly, rowKeys } from './keys.ts'

/** Which entities have a row, so that folding ten thousand new ones does not look for each of them. */
export class KnownRows {
  readonly #store: Store
  #keys = new Set<EntityKey>()
  #types = new Map<string, Promise<void>>()
  #complete = new Set<string>()
  /** Entities that are stored as absent. */
  #absent = new Set<EntityKey>()
  /** Whether a type has any. */
  #anyAbsent = new Map<string, Promise<boolean>>()

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
    this.#absent.delete(key)
  }

  /** The row of the entity is gone. */
  delete(key: EntityKey): void {
    this.#keys.delete(key)
    this.#absent.delete(key)
  }

  /** Whether the entity is stored as absent, as far as that is known. */
  isAbsent(key: EntityKey): boolean {
    return this.#absent.has(key)
  }

  /** The row of an entity that does not exist, if it has one. */
  async readAbsent(key: EntityKey): Promise<Uint8Array | undefined> {
    if (!(await this.#hasAbsent(typeOf(key)))) return undefined
    const absent = this.#absent
    const row = await this.#store.get(absentKey(key))
    if (row) absent.add(key)
    return row
  }

  /** The entity is stored as absent now. */
  addAbsent(key: EntityKey): void {
    this.#keys.delete(key)
    this.#absent.add(key)
    this.#anyAbsent.set(typeOf(key), Promise.resolve(true))
  }

  /** Forgets all rows. */
  clear(): void {
    this.#keys = new Set()
    this.#types = new Map()
    this.#complete = new Set()
    this.#absent = new Set()
    this.#anyAbsent = new Map()
  }

  #hasAbsent(type: string): Promise<boolean> {
    let any = this.#anyAbsent.get(type)
    if (!any) {
      any = this.#store
        .count(absentKeys(type))
        .then((count) => count > 0)
        .catch((error: unknown) => {
          this.#anyAbsent.delete(type)
          throw error
        })
      this.#anyAbsent.set(type, any)
    }
    return any
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
