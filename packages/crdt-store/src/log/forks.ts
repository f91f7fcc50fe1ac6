import {
  branchOf,
  decodeForkProof,
  encodeForkProof,
  firstIdOf,
  PeerplaneError,
} from '@peerplane/core'
import type { Batch, Branch, DeviceId, ForkProof, SessionId, Store, Write } from '@peerplane/core'

import { forkKey, forks, openingKey, sessionOfKey } from '../storage/keys.ts'
import { pages } from '../storage/pages.ts'
import type { SessionPlace } from './decode-run.ts'
import type { Examined } from './examine.ts'
import { decodePlaced, following, readBatchAt } from './range.ts'
import type { HeldSession, Sessions } from './sessions.ts'

/** A session that accepts no more commits, because it is forked. */
export interface Frozen {
  readonly session: SessionId
  readonly device: DeviceId
  /**
   * The sequence number at which the device of the session signed two different batches. In a forked session, commits from `seq` on have no effect.
   */
  readonly seq: number
}

/** Returns the forks that this device knows. */
export const frozenOf = (sessions: Sessions): Frozen[] =>
  [...sessions.forked].flatMap(({ id: session, device, fork }) =>
    fork ? [{ session, device, seq: fork.seq }] : [],
  )

/** Adds the forks that a store contains to its sessions. */
export async function restoreForks(store: Store, sessions: Sessions): Promise<void> {
  for await (const page of pages(store, forks)) {
    for (const { key, value } of page) {
      const session = sessionOfKey(key)
      const held = sessions.get(session)
      if (held) sessions.fork(held, decodeForkProof(value, session), held.stored)
    }
  }
}

export const forkWrite = (proof: ForkProof): Write => ({
  key: forkKey(proof.session),
  value: encodeForkProof(proof),
})

/**
 * The fork that a verified run brings to light, if it is a new one, or one before the one that is known. `told` is the proof at the end of
 * the run. The first branch of the result continues what is held here.
 */
export async function forkIn(
  { decoded, told, held, rival }: Examined,
  store: Store,
): Promise<ForkProof | undefined> {
  const { contradiction, last, fresh } = decoded
  if (rival) {
    const batches = fresh.map(({ batch }) => batch)
    const theirs = branchOf(batches, told?.branches[0] ?? last!.signature!)
    return openingsProof(held!, rival.bytes, theirs, store)
  }
  if (contradiction) {
    const theirs = branchOf(contradiction.batches, told?.branches[0] ?? last!.signature!)
    return proofOf(contradiction, held!, await ownBranch(contradiction.seq, held!, store), theirs)
  }
  if (!told || told.openings || !held || held.stored.seq < told.seq) return told
  const ours = await ownBranch(told.seq, held, store)
  const first = firstIdOf(told, ours)
  const theirs = told.branches.find((branch) => firstIdOf(told, branch) !== first)!
  return proofOf(told, held, ours, theirs)
}

const proofOf = (
  { seq, previous }: SessionPlace,
  { id: session }: HeldSession,
  ours: Branch,
  theirs: Branch,
): ForkProof => ({ session, seq, previous, branches: [ours, theirs] })

/** The proof that the session that is held has another opening, too, with a branch of its own. */
async function openingsProof(
  held: HeldSession,
  rival: Uint8Array,
  theirs: Branch,
  store: Store,
): Promise<ForkProof> {
  const opening = await store.get(openingKey(held.id))
  if (!opening) throw new PeerplaneError('store-corrupt', `session ${held.id} has no opening`)
  const place = { seq: 1, previous: held.first }
  return {
    ...proofOf(place, held, await ownBranch(1, held, store), theirs),
    openings: [opening, rival],
  }
}

/** Returns the held batches from the batch that begins at `seq`, up to a batch whose signature was verified. */
async function ownBranch(seq: number, held: HeldSession, store: Store): Promise<Branch> {
  const { id, stored, fork } = held
  const first = await readBatchAt(store, id, seq)
  const batches: Batch[] = []
  if (first?.firstSeq === seq) {
    for await (const placed of following(store, id, first, stored.seq)) {
      const batch = decodePlaced(id, placed)
      batches.push(batch)
      if (placed.signature === 'verified') return branchOf(batches, batch.signature!)
    }
    if (fork) return branchOf(batches, fork.branches[0])
  }
  throw new PeerplaneError('store-corrupt', `session ${id} has no signature after commit ${seq}`)
}
