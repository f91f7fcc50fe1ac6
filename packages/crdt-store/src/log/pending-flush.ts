import {
  depsDigest,
  limits,
  makeCommit,
  PeerplaneError,
  readEntity,
  SEED_BYTES,
} from '@peerplane/core'
import type { Commit, Origin, Section, StoreDurability, Write } from '@peerplane/core'

import type { Head } from './heads.ts'
import type { Author, OwnSession } from './own-session.ts'

/** A batch that still grows. Its commits are salted with its seed, so a commit belongs to a batch from the beginning. */
interface OpenBatch {
  readonly own: OwnSession
  readonly seed: Uint8Array
  readonly commits: Commit[]
  bytes: number
}

/** What is flushed together: one store write. */
export interface PendingFlush {
  readonly batches: OpenBatch[]
  readonly alsoWrite: Write[]
  durability: StoreDurability
  commits: number
  readonly durable: PromiseWithResolvers<void>
}

export function newPendingFlush(): PendingFlush {
  const durable = Promise.withResolvers<void>()
  // Ignored: a caller that asked for less durability does not listen.
  durable.promise.catch(() => undefined)
  return { batches: [], alsoWrite: [], durability: 'local', commits: 0, durable }
}

/** A commit that was made and is not part of the log yet. */
export interface Prepared {
  readonly commit: Commit
  readonly batch: OpenBatch
  readonly size: number
}

/** Makes a commit for the flush, which is not changed. */
export function prepare(
  flush: PendingFlush,
  own: OwnSession,
  place: Pick<Origin, 'seq' | 'time'>,
  heads: readonly Head[],
  sections: readonly Section[],
  { random, perturb }: Pick<Author, 'random' | 'perturb'>,
): Prepared {
  const size = sizeOf(sections, heads.length)
  // Only the first commit of a batch may have deps.
  const last = heads.length === 0 ? flush.batches.at(-1) : undefined
  const batch =
    last && hasRoom(last, own, size) && !perturb?.('short-batch')
      ? last
      : { own, seed: random.bytes(SEED_BYTES), commits: [], bytes: 0 }
  const commit = makeCommit(
    own.id,
    {
      seq: place.seq,
      deps: heads.map(({ session, seq }) => ({ session, seq })),
      digest: depsDigest(heads.map(({ batch: id }) => id)),
      time: place.time,
    },
    sections,
    batch.seed,
  )
  return { commit, batch, size }
}

/** Puts a commit that was prepared for the end of the flush there. */
export function append(flush: PendingFlush, { commit, batch, size }: Prepared): void {
  if (flush.batches.at(-1) !== batch) flush.batches.push(batch)
  batch.commits.push(commit)
  batch.bytes += size
  batch.own.seq = commit.header.seq
  flush.commits++
}

/** An upper bound of the bytes of a commit with these sections and this many deps. */
export function sizeOf(sections: readonly Section[], deps: number): number {
  let size = 128 + 48 * deps
  // A UTF-16 unit has at most three bytes in UTF-8.
  for (const { body, entity } of sections) size += body.length + 3 * entity.length + 64
  return size
}

/** Checks sections as a receiver will: what it refuses would end this session for everybody. Throws `too-large` or `malformed`. */
export function checkSections(sections: readonly Section[]): void {
  const size = sizeOf(sections, limits.deps)
  if (size > limits.commitBytes) {
    throw new PeerplaneError('too-large', `a commit of ${size} bytes`)
  }
  if (sections.length > limits.sections) {
    throw new PeerplaneError('too-large', `a commit on ${sections.length} entities`)
  }
  for (const section of sections) {
    readEntity(section.entity, 'section.entity')
    if (!section.entity.isWellFormed()) {
      throw new PeerplaneError('malformed', 'section.entity is not well-formed')
    }
  }
}

const hasRoom = (batch: OpenBatch, own: OwnSession, size: number): boolean =>
  batch.own === own &&
  batch.commits.length < limits.batchCommits &&
  batch.bytes + size <= limits.batchBytes
