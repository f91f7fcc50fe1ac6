import { decodeOpening, PeerplaneError } from '@peerplane/core'
import type { ErrorCode, HybridClock, SpaceId, Store } from '@peerplane/core'

import { metaKey, openings, reaches, sessionOfKey, tips } from '../storage/keys.ts'
import { pages } from '../storage/pages.ts'
import { decodeList, decodeMeta, decodeReach, decodeTip, encodeMeta } from '../storage/records.ts'
import { Sessions } from './sessions.ts'

/** Makes sure that the store is of this version and space; an empty one becomes so. Throws `store-version` or `wrong-space`. */
export async function checkMeta(store: Store, space: SpaceId): Promise<void> {
  const meta = await store.get(metaKey)
  if (!meta) {
    await store.write([{ key: metaKey, value: encodeMeta(space) }], 'local')
  } else if (decodeMeta(meta) !== space) {
    throw new PeerplaneError('wrong-space', 'the store holds another space')
  }
}

/** The sessions of a store, from three small records of each. */
export async function restoreSessions(store: Store, clock: HybridClock): Promise<Sessions> {
  const sessions = new Sessions()
  const ends = await readTable(store, tips, decodeTip)
  const progress = await readTable(store, reaches, decodeReach)
  for await (const page of pages(store, openings)) {
    for (const { key, value } of page) {
      const id = sessionOfKey(key)
      const [bytes, signature] = decodeList(value)
      const { device, parents } = decodeOpening(bytes!, signature!).opening
      const stored = ends.get(id)
      if (!stored) throw new PeerplaneError('store-corrupt', `session ${id} has no tip`)
      const reach = progress.get(id)
      sessions.add({ id, device, parents, stored }, reach)
      if (reach) clock.observe(reach.time)
    }
  }
  return sessions
}

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
