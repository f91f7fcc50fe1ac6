import {
  compareTimestamps,
  decodeAdmission,
  decodeOpening,
  PeerplaneError,
  toHex,
} from '@peerplane/core'
import type {
  Admission,
  ErrorCode,
  HybridClock,
  Opening,
  SpaceId,
  Store,
  Write,
} from '@peerplane/core'

import {
  admissionOfKey,
  admissions,
  metaKey,
  openings,
  reaches,
  sessionOfKey,
  tips,
} from '../storage/keys.ts'
import { pages } from '../storage/pages.ts'
import {
  decodeList,
  decodeMeta,
  decodeReach,
  decodeTip,
  encodeMeta,
  type Reach,
} from '../storage/records.ts'
import { isSessionUnderstood } from './opening-verifier.ts'
import { Sessions, type HeldSession } from './sessions.ts'
import { keptAside } from './tail.ts'

/**
 * Returns the write that makes an empty store the store of `space`. The returned write must be stored before the first commit, or together with it.
 */
export const spaceWrite = (space: SpaceId): Write => ({ key: metaKey, value: encodeMeta(space) })

/**
 * Resolves with the id of the space to which a store belongs, or with `undefined` for an empty store. Rejects with `store-version` or
 * `store-corrupt`.
 */
export async function spaceOf(store: Store): Promise<SpaceId | undefined> {
  const meta = await store.get(metaKey)
  return meta && (await orCorrupt(Promise.resolve(meta).then(decodeMeta)))
}

/**
 * Resolves with the writes of a page that was closed before it could store its first commit: the writes of the space and of the records `keys`, which
 * the page kept beside the store. The result is empty if there was no such page.
 */
export const foundedAside = (store: Store, keys: readonly Uint8Array[]): Promise<Write[]> =>
  orCorrupt(Promise.resolve().then(() => keptAside(store, [metaKey, ...keys])))

/** Whether a store contains a commit, either in its pairs or in the value that it keeps beside them (`aside`). */
export const holdsCommits = async (store: Store): Promise<boolean> =>
  (await store.scan({ ...openings, limit: 1 })).length > 0 || store.aside?.get() !== undefined

/** Throws `wrong-space` for a store of another space, `store-version` for one of a newer version. */
export async function checkSpace(store: Store, space: SpaceId): Promise<void> {
  const held = await spaceOf(store)
  if (held === undefined || held === space) return
  throw new PeerplaneError('wrong-space', 'the store holds another space')
}

/** The sessions of a store, from three small records of each. */
export async function restoreSessions(store: Store, clock: HybridClock): Promise<Sessions> {
  const found: Restorable[] = []
  const ends = await readTable(store, tips, decodeTip)
  const progress = await readTable(store, reaches, decodeReach)
  const chains = await readChains(store)
  for await (const page of pages(store, openings)) {
    for (const { key, value } of page) {
      const id = sessionOfKey(key)
      const { opening, first } = decodeOpening(value)
      const { device, parents, start } = opening
      const stored = ends.get(id)
      if (!stored) throw new PeerplaneError('store-corrupt', `session ${id} has no tip`)
      ends.delete(id)
      found.push({
        fields: {
          id,
          device,
          parents,
          start,
          isUnderstood: isKnown(opening, chains),
          first,
          stored,
        },
        reach: progress.get(id),
      })
    }
  }
  for (const id of ends.keys()) {
    throw new PeerplaneError('store-corrupt', `session ${id} has no opening`)
  }
  const sessions = new Sessions()
  for (const { fields, reach } of found.sort(byTime)) {
    sessions.add(fields, reach)
    if (reach) clock.observe(reach.time)
  }
  return sessions
}

interface Restorable {
  readonly fields: Omit<HeldSession, 'reach' | 'fork'>
  readonly reach: Reach | undefined
}

/** Other devices request sessions in the order in which they were added, so the oldest session should come first. */
const byTime = (a: Restorable, b: Restorable): number =>
  a.reach && b.reach ? compareTimestamps(a.reach.time, b.reach.time) : a.reach ? -1 : 1

/** The chain of admissions of each admission. */
async function readChains(store: Store): Promise<ReadonlyMap<string, readonly Admission[]>> {
  const chains = new Map<string, readonly Admission[]>()
  for await (const page of pages(store, admissions)) {
    for (const { key, value } of page) {
      chains.set(toHex(admissionOfKey(key)), decodeList(value).map(decodeAdmission))
    }
  }
  return chains
}

/** The creator of the space has no admission. */
const isKnown = (opening: Opening, chains: ReadonlyMap<string, readonly Admission[]>): boolean =>
  isSessionUnderstood(opening, chains.get(toHex(opening.admission)) ?? [])

async function readTable<T>(
  store: Store,
  range: Parameters<typeof pages>[1],
  decode: (value: Uint8Array) => T,
): Promise<Map<string, T>> {
  const table = new Map<string, T>()
  for await (const page of pages(store, range)) {
    for (const { key, value } of page) table.set(sessionOfKey(key), decode(value))
  }
  return table
}

/** What `read` gives; a record that cannot be read is not a malformed message but a damaged store. */
export async function orCorrupt<T>(read: Promise<T>): Promise<T> {
  try {
    return await read
  } catch (error) {
    if (error instanceof PeerplaneError && !fromOutside.has(error.code)) throw error
    throw new PeerplaneError('store-corrupt', 'the store cannot be read', { cause: error })
  }
}

const fromOutside = new Set<ErrorCode>(['malformed', 'too-large', 'broken-chain'])
