import {
  asPeerplaneError,
  PeerplaneError,
  splitEntityKey,
  type EntityKey,
  type EntityState,
  type StateModel,
  type Store,
} from '@peerplane/core'

import type { DeclaredModel, EntitiesOptions } from './entities.ts'
import { rowKey, snapshotKey } from './keys.ts'
import { decodeRow, type VersionedBody } from './row.ts'
import type { WaitingBodies } from './waiting-bodies.ts'

/** An entity in memory. */
export interface Slot {
  readonly key: EntityKey
  readonly model: StateModel
  readonly state: EntityState
  /** Why the state is not that of the entity; it is not folded further. */
  problem: PeerplaneError | undefined
  /** Version of the model that the entity is written for, if it is newer than `model`. */
  newerVersion: number
  /** Counters of the waiting bodies that are stored and folded here, and their size. */
  waiting: number[]
  waitingBytes: number
  /** Size of the mirror in the row of an entity that is folded when opened, as far as known. */
  rowUnits: number
  /** Whether the row was made before the waiting bodies were folded. */
  isRowOld: boolean
  /** Whether the waiting bodies are to become part of the snapshot with the next flush. */
  isLeaving: boolean
}

type OnVoid = EntitiesOptions['onVoid']

/** Loads an entity that is folded on delivery; `isStored` may be false only if it has no row. */
export async function loadEager(
  store: Store,
  key: EntityKey,
  declared: DeclaredModel,
  isStored: boolean,
): Promise<Slot> {
  const model = await declared.load()
  const stored = isStored ? await store.get(rowKey(key)) : undefined
  if (!stored) return slotOf(key, model, await model.open(undefined))
  try {
    const { modelVersion, snapshot } = decodeRow(stored)
    if (modelVersion <= model.version) return slotOf(key, model, await model.open(snapshot))
    const slot = slotOf(key, model, await model.open(undefined))
    meetNewerVersion(slot, modelVersion)
    return slot
  } catch (error) {
    return damaged(key, model, error)
  }
}

/** Loads an entity that is folded when opened: its snapshot, and the bodies that have come since. */
export async function loadLazy(
  store: Store,
  key: EntityKey,
  declared: DeclaredModel,
  bodies: WaitingBodies,
  onVoid: OnVoid,
): Promise<Slot> {
  const model = await declared.load()
  const snapshot = await store.get(snapshotKey(key))
  try {
    const slot = slotOf(key, model, await model.open(snapshot))
    const waiting = await bodies.read(store, key)
    foldInto(
      slot,
      waiting.map(({ body }) => body),
      onVoid,
    )
    const stored = waiting.slice(0, waiting.length - bodies.unstored(key).length)
    slot.waiting = stored.map(({ counter }) => counter)
    slot.waitingBytes = stored.reduce((size, { body }) => size + body.bytes.length, 0)
    slot.isRowOld = waiting.length > 0
    return slot
  } catch (error) {
    return damaged(key, model, error)
  }
}

/** Folds bodies, unless one is for a newer model: then the entity cannot be read here any more. */
export function foldInto(slot: Slot, bodies: readonly VersionedBody[], onVoid: OnVoid): void {
  if (slot.problem) return
  const newest = bodies.reduce((version, body) => Math.max(version, body.modelVersion), 0)
  if (newest > slot.model.version) return meetNewerVersion(slot, newest)
  for (const { origin } of slot.state.fold(bodies)) onVoid?.(slot.key, origin)
}

function slotOf(key: EntityKey, model: StateModel, state: EntityState): Slot {
  return {
    key,
    model,
    state,
    problem: undefined,
    newerVersion: 0,
    waiting: [],
    waitingBytes: 0,
    rowUnits: 0,
    isRowOld: false,
    isLeaving: false,
  }
}

function meetNewerVersion(slot: Slot, version: number): void {
  slot.newerVersion = version
  slot.problem = new PeerplaneError(
    'unreadable',
    `${slot.key} is written for version ${version} of its "${splitEntityKey(slot.key).type}" model`,
  )
}

/** A damaged row makes only its own entity unreadable. Failures of the store are not about one entity. */
async function damaged(key: EntityKey, model: StateModel, cause: unknown): Promise<Slot> {
  const error = asPeerplaneError(cause, 'unreadable')
  if (error.code !== 'unreadable' && error.code !== 'malformed') throw error
  const slot = slotOf(key, model, await model.open(undefined))
  slot.problem = new PeerplaneError('unreadable', `what is stored of ${key} is damaged`, { cause })
  return slot
}
