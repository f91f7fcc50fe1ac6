import type { EntityKey, Write } from '@peerplane/core'

import type { DeclaredModel } from './entities.ts'
import type { FoldedFrontier } from './folded-frontier.ts'
import { rowKey, snapshotKey, waitingKey } from './keys.ts'
import { encodeRow, newerRow, unfoldedRow, type Row } from './row.ts'
import type { Slot } from './slot.ts'
import type { Slots } from './slots.ts'
import type { WaitingBodies, WaitingBody } from './waiting-bodies.ts'

/** Waiting bodies become part of the snapshot when there are this many of them, or bytes in them. */
const COMPACT_BODIES = 256
const COMPACT_BYTES = 64 * 1024

/** Rows of large documents, in UTF-16 units of JSON, are made only together with a snapshot: they are for the first paint. */
const LARGE_ROW = 16 * 1024

/** The states of one moment, as writes; and what to do when they are stored, or not. */
export interface Capture {
  readonly writes: readonly Write[]
  stored(): void
  failed(): void
}

/** Where a capture takes the states from. */
export interface CaptureSource {
  readonly slots: Slots
  readonly waiting: WaitingBodies
  readonly folded: FoldedFrontier
  declared(key: EntityKey): DeclaredModel
}

/**
 * Captures the changed entities and how far they contain the log. All of it is taken at one moment, so the rows hold exactly the commits up
 * to the frontier that is stored with them.
 */
export function capture(source: CaptureSource, keys: ReadonlySet<EntityKey>): Capture {
  const { folded } = source
  const frontier = folded.capture()
  const parts = [...keys].map((key) => captureOne(source, key))
  return {
    writes: [...parts.flatMap(({ writes }) => writes), ...frontier.writes],
    stored: () => {
      frontier.stored()
      for (const part of parts) part.stored()
    },
    failed: () => frontier.failed(),
  }
}

interface Part {
  readonly writes: readonly Write[]
  stored(): void
}

function captureOne(source: CaptureSource, key: EntityKey): Part {
  const { slots } = source
  const { eager } = source.declared(key)
  try {
    return captureSlot(source, key, slots.get(key))
  } catch (error) {
    if (eager) throw error
    // Its bodies are kept; it is loaded again when somebody opens it.
    slots.drop(key)
    return captureSlot(source, key, undefined)
  }
}

function captureSlot(source: CaptureSource, key: EntityKey, slot: Slot | undefined): Part {
  const { slots } = source
  const row = rowOf(source, key, slot)
  const waiting = source.declared(key).eager ? nothing : captureWaiting(source, key, slot)
  return {
    writes: row ? [{ key: rowKey(key), value: encodeRow(row) }, ...waiting.writes] : waiting.writes,
    stored: () => {
      if (row) slots.rows.add(key)
      waiting.stored()
    },
  }
}

function captureWaiting({ waiting }: CaptureSource, key: EntityKey, slot: Slot | undefined): Part {
  const taken = [...waiting.unstored(key)]
  if (slot && isToCompact(slot, taken)) {
    const { waiting: compacted } = slot
    return {
      writes: [
        { key: snapshotKey(key), value: slot.state.snapshot() },
        ...compacted.map((counter) => ({ key: waitingKey(key, counter), value: undefined })),
      ],
      stored: () => {
        waiting.taken(key, taken)
        Object.assign(slot, { waiting: [], waitingBytes: 0, isLeaving: false })
      },
    }
  }
  return {
    writes: waiting.writes(key),
    stored: () => {
      waiting.taken(key, taken)
      if (!slot) return
      slot.waiting.push(...taken.map(({ counter }) => counter))
      slot.waitingBytes += sizeOf(taken)
    },
  }
}

/** The new row of an entity; `undefined` if it keeps the one it has. */
function rowOf(
  { slots, waiting }: CaptureSource,
  key: EntityKey,
  slot: Slot | undefined,
): Row | undefined {
  // Bodies came for an entity that nobody has opened: it has to be listed all the same.
  if (!slot) return slots.rows.has(key) ? undefined : unfoldedRow
  if (slot.newerVersion > 0) return newerRow(slot.newerVersion)
  if (slot.problem || (slot.rowUnits > LARGE_ROW && !isToCompact(slot, waiting.unstored(key)))) {
    return undefined
  }
  const mirror = JSON.stringify(slot.state.mirror)
  slot.rowUnits = slot.model.eager ? 0 : mirror.length
  return {
    modelVersion: slot.model.version,
    mirror,
    version: slot.state.version,
    snapshot: slot.model.eager ? slot.state.snapshot() : nothingStored,
  }
}

const nothing: Part = { writes: [], stored: () => undefined }
const nothingStored = new Uint8Array(0)

function isToCompact(slot: Slot, unstored: readonly WaitingBody[]): boolean {
  if (slot.problem) return false
  return (
    slot.isLeaving ||
    slot.waiting.length + unstored.length >= COMPACT_BODIES ||
    slot.waitingBytes + sizeOf(unstored) >= COMPACT_BYTES
  )
}

const sizeOf = (waiting: readonly WaitingBody[]): number =>
  waiting.reduce((size, { body }) => size + body.bytes.length, 0)
