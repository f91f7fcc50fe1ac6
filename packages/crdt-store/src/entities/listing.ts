import { compareBytes, utf8, type Json, type Store } from '@peerplane/core'

import type { ListedEntity, ListQuery } from './entities.ts'
import { rowId, rowKeys } from './keys.ts'
import { decodeRow, readMirror, type Row } from './row.ts'

const PAGE = 1000

/** What is newer in memory than in the rows: states by id; `undefined` for an entity that cannot be read. */
type Unflushed = ReadonlyMap<string, Json | undefined>

/** Where a list takes its states from. */
export interface ListSource {
  readonly store: Store
  /** What is newer in memory at the moment of the call. */
  unflushed(): Unflushed
  /** The state of an entity that was never folded; `undefined` if it cannot be read. */
  fold(id: string): Promise<Json | undefined>
}

/** The entities of a type in the order of their ids. */
export async function listRows(
  source: ListSource,
  type: string,
  query: ListQuery,
): Promise<readonly ListedEntity[]> {
  const { prefix = '', after, limit = Infinity } = query
  const isAsked = (id: string): boolean =>
    id.startsWith(prefix) && (after === undefined || compareBytes(utf8(id), utf8(after)) > 0)
  // Taken before and after reading: what is flushed meanwhile is in one of the two, or in the rows.
  const before = source.unflushed()
  const unreadable = [...before.values()].filter((state) => state === undefined).length
  const states = await readStates(source, type, { ...query, limit: limit + unreadable })
  for (const newer of [before, source.unflushed()]) {
    for (const [id, state] of newer) if (isAsked(id)) states.set(id, state)
  }
  const listed: ListedEntity[] = []
  for (const [id, state] of sortedById(states)) {
    if (listed.length >= limit) break
    if (state !== undefined) listed.push({ id, state })
  }
  return listed
}

/** Stored states, until `limit` of them are readable. */
async function readStates(
  source: ListSource,
  type: string,
  { prefix, after: first, limit = Infinity }: ListQuery,
): Promise<Map<string, Json | undefined>> {
  const states = new Map<string, Json | undefined>()
  let after = first
  let missing = limit
  while (missing > 0) {
    const page = Math.min(missing, PAGE)
    const entries = await source.store.scan({ ...rowKeys(type, prefix, after), limit: page })
    for (const { key, value } of entries) {
      after = rowId(key, type)
      const row = readRow(value)
      const state = row?.modelVersion === 0 ? await source.fold(after) : row && mirrorOf(row)
      states.set(after, state)
      if (state !== undefined) missing--
    }
    if (entries.length < page) break
  }
  return states
}

function readRow(value: Uint8Array): Row | undefined {
  try {
    return decodeRow(value)
  } catch {
    // Damaged: opening the entity says so.
    return undefined
  }
}

const mirrorOf = (row: Row): Json | undefined => (row.mirror === '' ? undefined : readMirror(row))

function sortedById<T>(states: ReadonlyMap<string, T>): (readonly [string, T])[] {
  return [...states]
    .map(([id, state]) => ({ bytes: utf8(id), id, state }))
    .sort((a, b) => compareBytes(a.bytes, b.bytes))
    .map(({ id, state }) => [id, state] as const)
}
