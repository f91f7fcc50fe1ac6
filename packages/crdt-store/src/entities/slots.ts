import { limits, type EntityKey, type Store } from '@peerplane/core'

import { AbsentRows } from './absent-rows.ts'
import { KnownRows } from './known-rows.ts'
import type { Slot } from './slot.ts'
import type { Tally } from './tally.ts'

/** Entities whose rows are larger do not stay in memory for long if nobody needs them. */
const LARGE_ROW_BYTES = 1024 * 1024

/** Whether an entity may leave memory: at once, after it was stored, or not. */
type MayGo = (slot: Slot) => 'now' | 'later' | 'no'

/** The entities in memory, the least recently used first. */
export class Slots {
  readonly rows: KnownRows
  readonly absent: AbsentRows
  readonly #slots = new Map<EntityKey, Slot>()
  readonly #loading = new Map<EntityKey, Promise<void>>()
  readonly #pins = new Map<EntityKey, number>()
  readonly #read: (key: EntityKey) => Promise<Slot>
  #generation = 0
  /** How many may stay: more than the limit if most of them could not go when that was last tried. */
  #room: number = limits.openEntities
  /** How many bytes may stay, likewise. */
  #roomBytes: number = limits.openEntitiesBytes
  /** How many bytes the states have. */
  #bytes = 0
  /** Idle entities that are on their way. */
  readonly #leaving = new Set<Slot>()

  /** `read` gives a slot of what is stored. */
  constructor(store: Store, tally: Tally, read: (key: EntityKey) => Promise<Slot>) {
    this.#read = read
    this.rows = new KnownRows(store)
    this.absent = new AbsentRows(store, tally)
  }

  /** How many entities are in memory. */
  get size(): number {
    return this.#slots.size
  }

  /** The slot of an entity that is in memory. */
  get(key: EntityKey): Slot | undefined {
    return this.#slots.get(key)
  }

  /** The slots of entities in memory, all at the same time. Rejects as `Entities.open`, but for unreadable ones. */
  async load(keys: readonly EntityKey[]): Promise<readonly Slot[]> {
    for (;;) {
      const missing = keys.filter((key) => !this.#slots.has(key))
      if (missing.length === 0) return keys.map((key) => this.#use(key))
      await Promise.all(missing.map((key) => this.#loadOne(key)))
    }
  }

  /** Puts another state of an entity in the place of what is in memory, or of what is being loaded. */
  put(key: EntityKey, slot: Slot): void {
    this.#generation++
    this.#loading.clear()
    this.drop(key)
    this.#add(key, slot)
  }

  /** Frees an entity. */
  drop(key: EntityKey): void {
    const slot = this.#slots.get(key)
    if (!slot) return
    this.#bytes -= slot.bytes
    this.#leaving.delete(slot)
    slot.state.close()
    this.#slots.delete(key)
  }

  pin(key: EntityKey): void {
    this.#pins.set(key, (this.#pins.get(key) ?? 0) + 1)
  }

  unpin(key: EntityKey): void {
    const pins = (this.#pins.get(key) ?? 0) - 1
    if (pins > 0) this.#pins.set(key, pins)
    else this.#pins.delete(key)
  }

  /** Frees the entities used least recently, as far as there are more than `keep`, or larger ones, and `mayGo` agrees; to `later` they are on their way. */
  evict(mayGo: MayGo, keep: number = limits.openEntities): void {
    const isAll = keep < limits.openEntities
    const { size } = this.#slots
    if (!isAll && size <= this.#room && this.#bytes <= this.#roomBytes) return
    let excess = size - keep
    let excessBytes = this.#bytes - limits.openEntitiesBytes
    let [staying, stayingBytes] = [0, 0]
    for (const [key, slot] of this.#slots) {
      if (excess <= 0 && excessBytes <= 0) break
      const { bytes } = slot
      const answer = this.#pins.has(key) ? 'no' : mayGo(slot)
      if (answer !== 'no') {
        excess--
        excessBytes -= bytes
      }
      if (answer === 'now') this.drop(key)
      else {
        staying++
        stayingBytes += bytes
      }
    }
    // Otherwise each opening would look at all of them again.
    const room = staying > 0 ? this.#slots.size + staying / 8 : 0
    this.#room = Math.max(limits.openEntities, room)
    const roomBytes = stayingBytes > 0 ? this.#bytes + stayingBytes / 8 : 0
    this.#roomBytes = Math.max(limits.openEntitiesBytes, roomBytes)
  }

  /** Frees large entities that nobody needed since the last call, as far as `mayGo` agrees. */
  evictLarge(mayGo: MayGo): void {
    for (const [key, slot] of this.#slots) {
      if (slot.rowBytes <= LARGE_ROW_BYTES) continue
      const isIdle = !slot.isUsed && !this.#pins.has(key)
      slot.isUsed = false
      if (isIdle && mayGo(slot) === 'now') this.drop(key)
    }
  }

  /** Frees entities that nobody needed since the last call, as far as `mayGo` agrees; to `later` they go with `evictLeaving`. */
  evictIdle(mayGo: MayGo): void {
    for (const [key, slot] of this.#slots) {
      const isIdle = !slot.isRecent && !this.#pins.has(key)
      slot.isRecent = false
      if (!isIdle) continue
      const answer = mayGo(slot)
      if (answer === 'now') this.drop(key)
      if (answer === 'later') this.#leaving.add(slot)
    }
  }

  /** Frees idle entities that were on their way, unless somebody needs them now. */
  evictLeaving(mayGo: MayGo): void {
    for (const slot of this.#leaving) {
      const isIdle = !slot.isRecent && !this.#pins.has(slot.key)
      if (isIdle && mayGo(slot) === 'now') this.drop(slot.key)
    }
    this.#leaving.clear()
  }

  /** From now on more of them may go. Looks at their sizes again. */
  mayEvict(): void {
    this.#room = limits.openEntities
    this.#roomBytes = limits.openEntitiesBytes
    this.#bytes = 0
    for (const slot of this.#slots.values()) {
      slot.bytes = bytesOf(slot)
      this.#bytes += slot.bytes
    }
  }

  /** Frees an entity of which nothing is stored; what is being loaded is loaded again. */
  remove(key: EntityKey): void {
    this.#generation++
    this.#loading.clear()
    this.drop(key)
  }

  /** Frees all entities; what is being loaded is loaded again. */
  clear(): void {
    this.#generation++
    this.#room = limits.openEntities
    this.#roomBytes = limits.openEntitiesBytes
    this.#loading.clear()
    for (const key of this.#slots.keys()) this.drop(key)
  }

  #use(key: EntityKey): Slot {
    const slot = this.#slots.get(key)!
    slot.isUsed = true
    slot.isRecent = true
    this.#slots.delete(key)
    this.#slots.set(key, slot)
    return slot
  }

  #loadOne(key: EntityKey): Promise<void> {
    const running = this.#loading.get(key)
    if (running) return running
    const loading = this.#readInto(key).finally(() => {
      if (this.#loading.get(key) === loading) this.#loading.delete(key)
    })
    this.#loading.set(key, loading)
    return loading
  }

  async #readInto(key: EntityKey): Promise<void> {
    const generation = this.#generation
    const slot = await this.#read(key)
    if (generation === this.#generation) this.#add(key, slot)
    else slot.state.close()
  }

  #add(key: EntityKey, slot: Slot): void {
    slot.bytes = bytesOf(slot)
    this.#bytes += slot.bytes
    this.#slots.set(key, slot)
  }
}

/** Of a state that cannot be read, only the problem is kept. */
const bytesOf = ({ problem, state }: Slot): number => (problem ? 0 : state.size.bytes)
