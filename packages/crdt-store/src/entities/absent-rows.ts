import { PeerplaneError, splitEntityKey, type EntityKey, type Store } from '@peerplane/core'

import { absentKey, absentKeys, allAbsentKeys } from './keys.ts'
import type { Tally } from './tally.ts'

/**
 * Entities that are stored as absent: they were deleted. Lists do not read them, and neither does opening a store, however many there are: that all
 * of them are there is checked when one is first needed, or before the first write.
 */
export class AbsentRows {
  readonly #store: Store
  readonly #tally: Tally
  /** Those that are known to be stored. */
  #keys = new Set<EntityKey>()
  /** Whether a type has any. */
  #any = new Map<string, Promise<boolean>>()
  #checked: Promise<void> | undefined

  constructor(store: Store, tally: Tally) {
    this.#store = store
    this.#tally = tally
  }

  /** Resolves when it is certain that none is missing; `store-corrupt` otherwise. Nobody writes one before. */
  check(): Promise<void> {
    this.#checked ??= this.#count().catch((error: unknown) => {
      this.#checked = undefined
      throw error
    })
    return this.#checked
  }

  /** Whether an entity is stored as absent, as far as that is known. */
  has(key: EntityKey): boolean {
    return this.#keys.has(key)
  }

  /** What is stored of an entity that does not exist; `undefined` for any other one. */
  async read(key: EntityKey): Promise<Uint8Array | undefined> {
    await this.check()
    if (!(await this.#hasAny(splitEntityKey(key).type))) return undefined
    const keys = this.#keys
    const row = await this.#store.get(absentKey(key))
    if (row) keys.add(key)
    return row
  }

  /** The entity is stored as absent now. */
  add(key: EntityKey): void {
    this.#keys.add(key)
    this.#any.set(splitEntityKey(key).type, Promise.resolve(true))
  }

  /** The entity is not stored as absent any longer. */
  delete(key: EntityKey): void {
    this.#keys.delete(key)
  }

  /** None is stored. */
  clear(): void {
    this.#keys = new Set()
    this.#any = new Map()
  }

  async #count(): Promise<void> {
    const { absent } = this.#tally
    if (absent === 0) return
    const found = await this.#store.count(allAbsentKeys)
    if (found === absent) return
    const what = `${found} of ${absent} records of entities that were deleted`
    throw new PeerplaneError('store-corrupt', `the store has ${what}`)
  }

  #hasAny(type: string): Promise<boolean> {
    if (this.#tally.absent === 0) return NONE
    let any = this.#any.get(type)
    if (!any) {
      any = this.#store
        .scan({ ...absentKeys(type), limit: 1 })
        .then(({ length }) => length > 0)
        .catch((error: unknown) => {
          this.#any.delete(type)
          throw error
        })
      this.#any.set(type, any)
    }
    return any
  }
}

const NONE = Promise.resolve(false)
