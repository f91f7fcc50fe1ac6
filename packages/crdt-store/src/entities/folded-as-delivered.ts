import type { EntityKey, StateModel } from '@peerplane/core'

import { captureRow, nothingCaptured } from './capture-row.ts'
import { rowKey } from './keys.ts'
import type { CapturedEntity, Lifecycle, LifecycleParts } from './lifecycle.ts'
import {
  decodeRow,
  encodeRow,
  unfoldedRow,
  unreadableRow,
  type Row,
  type VersionedBody,
} from './row.ts'
import { damagedSlot, foldInto, makeIncomplete, makeUnreadable, slotOf, type Slot } from './slot.ts'

/**
 * States that are folded when commits are delivered. The row holds mirror and snapshot; it is all that is stored of them.
 *
 * For small states, which cost less to fold than to keep track of.
 */
export class FoldedAsDelivered implements Lifecycle {
  readonly #parts: LifecycleParts

  constructor(parts: LifecycleParts) {
    this.#parts = parts
  }

  async load(key: EntityKey, model: StateModel): Promise<Slot> {
    const { store, slots, events } = this.#parts
    const present = slots.rows.mayHave(key) ? await store.get(rowKey(key)) : undefined
    if (present) slots.rows.add(key)
    const stored = present ?? (await slots.absent.read(key))
    if (!stored) return slotOf(key, model, await model.open(undefined, key))
    try {
      const { problem, isIncomplete, snapshot } = decodeRow(stored)
      const slot = slotOf(key, model, await model.open(problem ? undefined : snapshot, key))
      slot.rowBytes = stored.length
      if (problem) makeUnreadable(slot, problem, events)
      if (isIncomplete) makeIncomplete(slot, 'it was so when it was stored', events)
      return slot
    } catch (error) {
      return damagedSlot(key, model, error, events)
    }
  }

  async prepare(keys: readonly EntityKey[]): Promise<void> {
    await this.#parts.slots.load(keys)
  }

  take(key: EntityKey, bodies: readonly VersionedBody[]): boolean {
    const slot = this.#parts.slots.get(key)
    // Whether the mirror has changed is not asked: making it takes time for all that the entity holds, and perhaps nobody looks at it.
    return !slot || foldInto(slot, bodies, this.#parts.events)
  }

  takeOwn(key: EntityKey, body: VersionedBody): boolean {
    const slot = this.#parts.slots.get(key)
    slot?.state.identify(body)
    // Has no effect, unless the command ran on a state that was replaced meanwhile.
    if (slot) foldInto(slot, [body], this.#parts.events)
    return slot !== undefined
  }

  capture(key: EntityKey): CapturedEntity {
    const { slots } = this.#parts
    const slot = slots.get(key)
    const row = this.#rowOf(slot, key)
    if (!row) return nothingCaptured
    const value = encodeRow(row)
    if (slot) slot.rowBytes = value.length
    const exists = slot?.unreadable !== '' || slot.state.exists
    return captureRow(key, exists, value, slots)
  }

  mayLeave(): 'now' {
    return 'now'
  }

  async stored(key: EntityKey, isBlank: boolean): Promise<readonly Uint8Array[]> {
    if (!isBlank) return []
    return (await this.#parts.slots.rows.find(key)) ? [rowKey(key)] : []
  }

  replaced(): void {
    // The slot has all of it.
  }

  forget(): void {
    // Everything that is not stored is in the slots.
  }

  #rowOf(slot: Slot | undefined, key: EntityKey): Row | undefined {
    const { rows, absent } = this.#parts.slots
    if (!slot) return rows.has(key) || absent.has(key) ? undefined : unfoldedRow
    if (slot.unreadable) return unreadableRow(slot.unreadable)
    if (slot.problem) return undefined
    const { state, model } = slot
    return {
      modelVersion: model.version,
      problem: '',
      isIncomplete: slot.isIncomplete,
      mirror: JSON.stringify(state.mirror),
      version: state.version,
      snapshot: state.snapshot(),
      changedMs: state.changedMs,
    }
  }
}
