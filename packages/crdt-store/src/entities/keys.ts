import {
  compareBytes,
  concatBytes,
  fromHex,
  fromUtf8,
  splitEntityKey,
  toHex,
  utf8,
  type EntityKey,
  type KeyRange,
  type SessionId,
} from '@peerplane/core'

/*
 * Keys of the entities in the store.
 *
 *   0x20 type 0 id                              row
 *   0x21 type 0 id                              snapshot of one that is folded when opened
 *   0x22 length(type 0 id) type 0 id counter    body that waits for that
 *   0x23 0                                      declared models, for which the rows were made
 *   0x23 1                                      how many of the records above there are
 *   0x23 2 session                              how far a session is folded
 *   0x24 type 0 id                              what is kept of an entity that does not exist
 */

/** Every key of the entities lies between these. */
export const allKeys: KeyRange = { from: Uint8Array.of(0x20), to: Uint8Array.of(0x25) }

export const modelsKey: Uint8Array = Uint8Array.of(0x23, 0)
export const tallyKey: Uint8Array = Uint8Array.of(0x23, 1)

/** Rows, snapshots and waiting bodies, but of entities that do not exist no row. */
export const countedKeys: KeyRange = { from: allKeys.from, to: Uint8Array.of(0x23) }

/** Keys of how far sessions are folded. */
export const foldedKeys: KeyRange = { from: Uint8Array.of(0x23, 2), to: Uint8Array.of(0x23, 3) }

export const foldedKey = (session: SessionId): Uint8Array =>
  concatBytes(foldedKeys.from, fromHex(session))
export const foldedSession = (key: Uint8Array): SessionId => toHex(key.subarray(2)) as SessionId

const name = (key: EntityKey): Uint8Array => {
  const { type, id } = splitEntityKey(key)
  return utf8(`${type}\0${id}`)
}

export const rowKey = (key: EntityKey): Uint8Array => concatBytes(Uint8Array.of(0x20), name(key))
export const snapshotKey = (key: EntityKey): Uint8Array =>
  concatBytes(Uint8Array.of(0x21), name(key))

/** What is kept of an entity that does not exist: it was deleted. */
export const absentKey = (key: EntityKey): Uint8Array => concatBytes(allAbsentKeys.from, name(key))

/** The same of all entities. */
export const allAbsentKeys: KeyRange = { from: Uint8Array.of(0x24), to: allKeys.to }

/** The same of the entities of a type. */
export function absentKeys(type: string): KeyRange {
  const from = concatBytes(allAbsentKeys.from, utf8(`${type}\0`))
  const to = from.slice()
  to[to.length - 1]!++
  return { from, to }
}

/** The row of an entity alone. */
export const rowKeyOnly = (key: EntityKey): KeyRange => {
  const from = rowKey(key)
  return { from, to: concatBytes(from, Uint8Array.of(0)) }
}

/** Rows of a type: ids that begin with `prefix` and come after `after`. */
export function rowKeys(type: string, prefix = '', after?: string): KeyRange {
  const first = concatBytes(Uint8Array.of(0x20), utf8(`${type}\0${prefix}`))
  const to = first.slice()
  // No byte of UTF-8, and no separator, is 255.
  to[to.length - 1]!++
  if (after === undefined) return { from: first, to }
  const next = concatBytes(Uint8Array.of(0x20), utf8(`${type}\0${after}\0`))
  return { from: compareBytes(first, next) < 0 ? next : first, to }
}

/** The id in a row key of `type`. Throws `malformed`. */
export const rowId = (key: Uint8Array, type: string): string =>
  fromUtf8(key.subarray(utf8(type).length + 2))

const COUNTER_BYTES = 6

/** Key of a waiting body. The length goes first, so that no id is the beginning of another. */
export function waitingKey(key: EntityKey, counter: number): Uint8Array {
  const bytes = new Uint8Array(COUNTER_BYTES)
  let rest = counter
  for (let i = COUNTER_BYTES - 1; i >= 0; i--) {
    bytes[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return concatBytes(waitingPrefix(key), bytes)
}

/** Keys of the waiting bodies of an entity. */
export function waitingKeys(key: EntityKey): KeyRange {
  const from = waitingPrefix(key)
  return { from, to: concatBytes(from, new Uint8Array(COUNTER_BYTES + 1).fill(255)) }
}

/** The counter in the key of a waiting body. */
export const waitingCounter = (key: Uint8Array): number =>
  key.subarray(-COUNTER_BYTES).reduce((counter, byte) => counter * 256 + byte, 0)

function waitingPrefix(key: EntityKey): Uint8Array {
  const bytes = name(key)
  return concatBytes(Uint8Array.of(0x22, bytes.length >> 8, bytes.length & 255), bytes)
}
