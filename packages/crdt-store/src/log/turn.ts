import {
  depsDigest,
  limits,
  makeCommit,
  PeerplaneError,
  readSection,
  SEED_BYTES,
  sectionToValue,
} from '@peerplane/core'
import type { Commit, Origin, Random, Section, StoreDurability, Write } from '@peerplane/core'

import type { Head } from './heads.ts'
import type { OwnSession } from './own-session.ts'

/** A batch that still grows. Its commits are salted with its seed, so a commit belongs to a batch from the beginning. */
export interface OpenBatch {
  readonly own: OwnSession
  readonly seed: Uint8Array
  readonly commits: Commit[]
  bytes: number
}

/** What is flushed together: one store write. */
export interface Turn {
  readonly batches: OpenBatch[]
  readonly alsoWrite: Write[]
  durability: StoreDurability
  commits: number
  readonly durable: PromiseWithResolvers<void>
}

export function newTurn(): Turn {
  const durable = Promise.withResolvers<void>()
  // Whoever asked for less durability does not listen.
  durable.promise.catch(() => undefined)
  return { batches: [], alsoWrite: [], durability: 'local', commits: 0, durable }
}

/** Makes a commit and puts it into the turn. `size` is {@link sizeOf} its sections. */
export function appendTo(
  turn: Turn,
  own: OwnSession,
  place: Pick<Origin, 'seq' | 'time'>,
  heads: readonly Head[],
  sections: readonly Section[],
  random: Random,
): Commit {
  const batch = batchFor(turn, own, sizeOf(sections, heads.length), random)
  const commit = makeCommit(
    own.id,
    {
      seq: place.seq,
      deps: heads.map(({ session, seq }) => ({ session, seq })),
      digest: depsDigest(heads.map(({ id }) => id)),
      time: place.time,
      view: [],
    },
    sections,
    batch.seed,
  )
  batch.commits.push(commit)
  turn.commits++
  own.seq = place.seq
  own.tip = commit.id
  return commit
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
    readSection(sectionToValue(section), 'section')
    if (!section.entity.isWellFormed()) {
      throw new PeerplaneError('malformed', 'section.entity is not well-formed')
    }
  }
}

function batchFor(turn: Turn, own: OwnSession, size: number, random: Random): OpenBatch {
  const last = turn.batches.at(-1)
  const fits =
    last?.own === own &&
    last.commits.length < limits.batchCommits &&
    last.bytes + size <= limits.batchBytes
  if (last && fits) {
    last.bytes += size
    return last
  }
  const batch = { own, seed: random.bytes(SEED_BYTES), commits: [], bytes: size }
  turn.batches.push(batch)
  return batch
}
