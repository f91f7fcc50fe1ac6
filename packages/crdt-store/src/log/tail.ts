import {
  arrayField,
  bytesField,
  decodeBatch,
  decodeCanonical,
  decodeOpening,
  encodeBatch,
  encodeCanonical,
  encodeOpening,
  equalBytes,
  lastSeq,
  makeBatch,
  toHex,
  wholeField,
} from '@peerplane/core'
import type { Commit, HybridClock, Opening, SessionId, Store, Value, Write } from '@peerplane/core'

import { record, signFlush } from './flush.ts'
import type { Author, OwnSession } from './own-session.ts'
import type { Sessions } from './sessions.ts'
import { newPendingFlush, type PendingFlush } from './pending-flush.ts'

/*
 * A page that goes away has the rest of its task, and signing takes longer. So its last commits are kept unsigned, aside from the pairs of
 * the store, and the next opening of the log signs them: the same commits at the same places of the same session, before anything else.
 *
 *   tail     [[[opening, first seq, batch without signature] ...], [[key, value or nothing] ...]]
 */

/** Keeps everything in these flushes, and what is written in one piece with it. */
export function tailOf(flushes: readonly PendingFlush[]): Uint8Array {
  const batches = flushes.flatMap((flush) => flush.batches)
  const also = flushes.flatMap((flush) => flush.alsoWrite)
  return encodeCanonical([
    batches.map(({ own, seed, commits }): Value => {
      const batch = makeBatch(own.first, commits as [Commit, ...Commit[]], seed)
      return [encodeOpening(own.opening), commits[0]!.header.seq, encodeBatch(batch)]
    }),
    also.map((write): Value => (write.value ? [write.key, write.value] : [write.key])),
  ])
}

/** Signs and stores what the last process kept and could not sign. Rejects with a code of the store, or as decoding does. */
export async function signTail(
  store: Store,
  author: Author,
  sessions: Sessions,
  clock: HybridClock,
): Promise<void> {
  const kept = store.aside?.get()
  if (!kept) return
  const { flush, alsoWrite } = readTail(kept, author, sessions)
  if (flush.batches.length > 0) {
    const { batches, writes } = await signFlush(flush, author, sessions)
    await store.write([...writes, ...alsoWrite], 'synced')
    for (const { own, batch } of batches) {
      record(own, batch, sessions)
      clock.observe(batch.commits.at(-1)!.header.time)
    }
  }
  // Whatever of a tail is stored is passed over, should it be found again.
  store.aside?.set(undefined)
}

/** The part of a tail that is not stored yet: a pending write may have succeeded. */
function readTail(
  kept: Uint8Array,
  author: Author,
  sessions: Sessions,
): { flush: PendingFlush; alsoWrite: Write[] } {
  const [batches, also] = arrayField(decodeCanonical(kept), 'tail', 2)
  const flush = newPendingFlush()
  const owns = new Map<SessionId, OwnSession>()
  for (const each of arrayField(batches, 'tail.batches')) {
    const [opening, first, encoded] = arrayField(each, 'tail.batch', 3)
    const own = ownSession(bytesField(opening, 'tail.opening'), sessions, owns)
    const from = wholeField(first, 'tail.first')
    const batch = decodeBatch(bytesField(encoded, 'tail.encoded'), own.id, own.previous, from)
    if (!isOf(author, own.opening)) continue
    if (lastSeq(batch) <= own.seq || sessions.get(own.id)?.fork) continue
    // What lies between was refused by the store: its session has ended there.
    if (from !== own.seq + 1) break
    own.seq = lastSeq(batch)
    flush.batches.push({ own, seed: batch.seed, commits: [...batch.commits], bytes: 0 })
  }
  return { flush, alsoWrite: readWrites(also!) }
}

const readWrites = (also: Value): Write[] =>
  arrayField(also, 'tail.writes').map((each) => {
    const [key, value] = arrayField(each, 'tail.write')
    return {
      key: bytesField(key, 'tail.key'),
      value: value === undefined ? undefined : bytesField(value, 'tail.value'),
    }
  })

/** Whether `author` can sign for the device of an opening. */
const isOf = ({ space, key }: Author, opening: Opening): boolean =>
  opening.space === space.id && opening.device === toHex(key.publicKey)

/** What was to be stored together with the commits that are kept beside the store, with any of these keys. */
export function keptAside(store: Store, keys: readonly Uint8Array[]): Write[] {
  const kept = store.aside?.get()
  if (!kept) return []
  const [, also] = arrayField(decodeCanonical(kept), 'tail', 2)
  return readWrites(also!).filter((write) => keys.some((key) => equalBytes(key, write.key)))
}

/** The session of an opening, as far as it is stored. */
function ownSession(
  encoded: Uint8Array,
  sessions: Sessions,
  owns: Map<SessionId, OwnSession>,
): OwnSession {
  const { session: id, first, opening } = decodeOpening(encoded)
  const known = owns.get(id)
  if (known) return known
  const held = sessions.get(id)
  const { seq, batch: previous } = held?.stored ?? { seq: 0, batch: first }
  const own: OwnSession = { id, opening, first, opened: held !== undefined, seq, previous }
  owns.set(id, own)
  return own
}
