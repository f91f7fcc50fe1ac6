import { compareTexts, type Json, type Store } from '@peerplane/core'

import { pages } from '../storage/pages.ts'
import type { ListedState, ListQuery } from './entities.ts'
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
): Promise<readonly ListedState[]> {
  const { limit = Infinity } = query
  // Taken before and after reading: what is flushed meanwhile is in one of the two, or in the rows.
  const before = source.unflushed()
  const unreadable = [...before.values()].filter((state) => state === undefined).length
  const states = await readStates(source, type, { ...query, limit: limit + unreadable })
  for (const newer of [before, source.unflushed()]) {
    for (const [id, state] of newer) if (isListed(query, id)) states.set(id, state)
  }
  const listed: ListedState[] = []
  for (const [id, state] of states) if (state !== undefined) listed.push({ id, state })
  return inListOrder(listed, limit)
}

/** The ids of entities whose rows tell of no change at or after `ms`: at most `most`, after `after`. Unreadable ones are left out. */
export async function oldRows(
  store: Store,
  type: string,
  query: { readonly ms: number; readonly after: string | undefined; readonly most: number },
): Promise<readonly string[]> {
  const { ms, after, most } = query
  const ids: string[] = []
  for await (const page of pages(store, rowKeys(type, '', after), () => PAGE)) {
    for (const { key, value } of page) {
      const row = readRow(value)
      if (row && row.problem === '' && row.changedMs < ms) ids.push(rowId(key, type))
      if (ids.length === most) return ids
    }
  }
  return ids
}

/** Whether a list with this query may contain an entity with this id; the limit of the query is ignored. */
export const isListed = ({ prefix = '', after }: ListQuery, id: string): boolean =>
  id.startsWith(prefix) && (after === undefined || compareTexts(id, after) > 0)

/** Sorts `entities` in the order of lists, and returns the first `limit` entities. */
export const inListOrder = (
  entities: readonly ListedState[],
  limit: number = Infinity,
): readonly ListedState[] => entities.toSorted((a, b) => compareTexts(a.id, b.id)).slice(0, limit)

/** Stored states, until `limit` of them are readable. */
async function readStates(
  source: ListSource,
  type: string,
  { prefix, after, limit = Infinity }: ListQuery,
): Promise<Map<string, Json | undefined>> {
  const states = new Map<string, Json | undefined>()
  let missing = limit
  const size = (): number => Math.min(missing, PAGE)
  for await (const page of pages(source.store, rowKeys(type, prefix, after), size)) {
    for (const { key, value } of page) {
      const id = rowId(key, type)
      const row = readRow(value)
      const state = row?.modelVersion === 0 ? await source.fold(id) : row && mirrorOf(row)
      states.set(id, state)
      if (state !== undefined) missing--
    }
    if (missing === 0) break
  }
  return states
}

function readRow(value: Uint8Array): Row | undefined {
  try {
    return decodeRow(value)
  } catch {
    // Ignored: damaged; opening the entity says so.
    return undefined
  }
}

const mirrorOf = (row: Row): Json | undefined => (row.mirror === '' ? undefined : readMirror(row))
