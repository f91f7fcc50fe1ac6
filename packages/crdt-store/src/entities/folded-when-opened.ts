import type { EntityKey, StateModel } from '@peerplane/core'

import { captureRow, nothingCaptured } from './capture-row.ts'
import { rowKey, snapshotKey, waitingKey, waitingKeys } from './keys.ts'
import type { CapturedEntity, Lifecycle, LifecycleParts } from './lifecycle.ts'
import { encodeRow, unfoldedRow, unreadableRow, type Row, type VersionedBody } from './row.ts'
import { damagedSlot, foldInto, isBeyond, slotOf, type Slot } from './slot.ts'
import { WaitingBodies, waitingWrites, type WaitingBody } from './waiting-bodies.ts'

/** Waiting bodies become part of the snapshot when there are this many of them, or bytes in them. */
const COMPACT_BODIES = 256
const COMPACT_BYTES = 64 * 1024

/** Rows of large documents, in UTF-16 units of JSON, are made only together with a snapshot: they are for the first paint. */
const LARGE_ROW = 16 * 1024

/** What is stored of an entity in memory. */
interface Kept {
  /** Counters of the waiting bodies that are stored and folded here, and their size. */
  waiting: number[]
  waitingBytes: number
  /** Size of the mirror in the row, as far as known. */
  rowUnits: number
  hasSnapshot: boolean
  /** Whether the waiting bodies are to become part of the snapshot with the next capture. */
  isLeaving: boolean
}

/**
 * States that are folded when somebody opens the entity. Bodies wait in the store until then; a snapshot takes them in from time to time,
 * and the row holds the mirror for lists.
 *
 * For states that cost much to load and fold, like documents with their history.
 */
export class FoldedWhenOpened implements Lifecycle {
  readonly #parts: LifecycleParts
  readonly #kept = new WeakMap<Slot, Kept>()
  readonly #waiting: WaitingBodies

  constructor(parts: LifecycleParts) {
    this.#parts = parts
    this.#waiting = new WaitingBodies(parts.tally)
  }

  async load(key: EntityKey, model: StateModel): Promise<Slot> {
    const { store, slots, changed, events } = this.#parts
    const [snapshot] = await Promise.all([
      store.get(snapshotKey(key)),
      slots.rows.find(key),
      slots.absent.read(key),
    ])
    try {
      const slot = slotOf(key, model, await model.open(snapshot, key))
      const waiting = await this.#waiting.read(store, key)
      foldInto(
        slot,
        waiting.map(({ body }) => body),
        events,
      )
      const stored = waiting
        .slice(0, waiting.length - this.#waiting.unstored(key).length)
        .filter(({ body }) => !isBeyond(slot, body))
      this.#kept.set(slot, {
        waiting: stored.map(({ counter }) => counter),
        waitingBytes: sizeOf(stored),
        rowUnits: 0,
        hasSnapshot: snapshot !== undefined,
        isLeaving: false,
      })
      // The row was made before these were folded.
      if (waiting.length > 0) changed(key)
      return slot
    } catch (error) {
      return damagedSlot(key, model, error, events)
    }
  }

  async prepare(): Promise<void> {
    // Bodies wait: nothing needs to be in memory.
  }

  take(key: EntityKey, bodies: readonly VersionedBody[]): boolean {
    for (const body of bodies) this.#waiting.add(key, body)
    const slot = this.#parts.slots.get(key)
    if (slot) foldInto(slot, bodies, this.#parts.events)
    // What is folded when opened is better not looked at before somebody wants to see it.
    return true
  }

  takeOwn(key: EntityKey, body: VersionedBody): boolean {
    this.#parts.slots.get(key)?.state.identify(body)
    this.#waiting.add(key, body)
    return true
  }

  capture(key: EntityKey): CapturedEntity {
    const { slots } = this.#parts
    try {
      return this.#capture(key, slots.get(key))
    } catch {
      // Ignored: its bodies are kept; it is loaded again, with an error if need be, when somebody opens it.
      slots.drop(key)
      return this.#capture(key, undefined)
    }
  }

  mayLeave(slot: Slot): 'now' | 'later' {
    const kept = this.#kept.get(slot)
    if (!kept || kept.waiting.length === 0 || slot.problem) return 'now'
    kept.isLeaving = true
    this.#parts.changed(slot.key)
    return 'later'
  }

  async stored(key: EntityKey, isBlank: boolean): Promise<readonly Uint8Array[]> {
    const { store, slots } = this.#parts
    const hasRow = await slots.rows.find(key)
    const snapshot = await store.get(snapshotKey(key))
    const waiting = await store.scan(waitingKeys(key))
    return [
      ...(isBlank && hasRow ? [rowKey(key)] : []),
      ...(snapshot ? [snapshotKey(key)] : []),
      ...waiting.map((entry) => entry.key),
    ]
  }

  replaced(key: EntityKey, slot: Slot | undefined, beyond: readonly VersionedBody[]): void {
    this.#waiting.taken(key, this.#waiting.unstored(key))
    for (const body of beyond) this.#waiting.add(key, body)
    if (!slot) return
    // The next capture makes a snapshot of it.
    const nothing = { waiting: [], waitingBytes: 0, rowUnits: 0, hasSnapshot: false }
    this.#kept.set(slot, { ...nothing, isLeaving: true })
  }

  forget(): void {
    this.#waiting.reset()
  }

  #capture(key: EntityKey, slot: Slot | undefined): CapturedEntity {
    const row = this.#captureRow(key, slot)
    const waiting = this.#captureWaiting(key, slot)
    return {
      writes: [...row.writes, ...waiting.writes],
      more: row.more + waiting.more,
      absent: row.absent,
      stored: () => {
        row.stored()
        waiting.stored()
      },
    }
  }

  #captureRow(key: EntityKey, slot: Slot | undefined): CapturedEntity {
    const { slots } = this.#parts
    if (slot && !slot.problem && !slot.state.exists) return captureRow(key, false, ABSENT, slots)
    const row = this.#rowOf(key, slot)
    if (!row) return nothingCaptured
    if (slot) return captureRow(key, true, encodeRow(row), slots)
    // Whether the entity is stored as absent, the next one who opens it finds out.
    return {
      writes: [{ key: rowKey(key), value: encodeRow(row) }],
      more: 1,
      absent: 0,
      stored: () => slots.rows.add(key),
    }
  }

  #captureWaiting(key: EntityKey, slot: Slot | undefined): Omit<CapturedEntity, 'absent'> {
    const waiting = this.#waiting
    const taken = [...waiting.unstored(key)]
    const kept = slot && this.#kept.get(slot)
    if (slot && kept && this.#isToCompact(slot, taken)) {
      const compacted = kept.waiting
      // They go on waiting: they are no part of the snapshot.
      const beyond = taken.filter(({ body }) => isBeyond(slot, body))
      return {
        writes: [
          { key: snapshotKey(key), value: slot.state.snapshot() },
          ...compacted.map((counter) => ({ key: waitingKey(key, counter), value: undefined })),
          ...waitingWrites(key, beyond),
        ],
        more: (kept.hasSnapshot ? 0 : 1) - compacted.length + beyond.length,
        stored: () => {
          waiting.taken(key, taken)
          Object.assign(kept, {
            waiting: [],
            waitingBytes: 0,
            hasSnapshot: true,
            isLeaving: false,
          })
        },
      }
    }
    return {
      writes: waitingWrites(key, taken),
      more: taken.length,
      stored: () => {
        waiting.taken(key, taken)
        if (!slot || !kept) return
        const known = taken.filter(({ body }) => !isBeyond(slot, body))
        kept.waiting.push(...known.map(({ counter }) => counter))
        kept.waitingBytes += sizeOf(known)
      },
    }
  }

  /** The new row of an entity; `undefined` if it keeps the one it has. */
  #rowOf(key: EntityKey, slot: Slot | undefined): Row | undefined {
    // Bodies came for an entity that nobody has opened: it must be listed, too.
    if (!slot) return this.#parts.slots.rows.has(key) ? undefined : unfoldedRow
    if (slot.unreadable) return unreadableRow(slot.unreadable)
    if (slot.problem) return undefined
    const kept = this.#kept.get(slot)
    const isLarge = (kept?.rowUnits ?? 0) > LARGE_ROW
    if (isLarge && !this.#isToCompact(slot, this.#waiting.unstored(key))) return undefined
    const { state, model } = slot
    const mirror = JSON.stringify(state.mirror)
    if (kept) kept.rowUnits = mirror.length
    const { isIncomplete } = slot
    const { version, changedMs } = state
    const made = { isIncomplete, mirror, version, changedMs }
    return { ...unfoldedRow, modelVersion: model.version, ...made }
  }

  #isToCompact(slot: Slot, unstored: readonly WaitingBody[]): boolean {
    const kept = this.#kept.get(slot)
    if (slot.problem || !kept) return false
    return (
      kept.isLeaving ||
      kept.waiting.length + unstored.length >= COMPACT_BODIES ||
      kept.waitingBytes + sizeOf(unstored) >= COMPACT_BYTES
    )
  }
}

/** An entity that does not exist has its snapshot elsewhere. */
const ABSENT = Uint8Array.of(0)

const sizeOf = (waiting: readonly WaitingBody[]): number =>
  waiting.reduce((size, { body }) => size + body.bytes.length, 0)
