import { compareTexts, limits, type DeviceId, type Json, type SessionId } from '@peerplane/core'

import { NamedCommit } from '../kernels/commits.ts'
import { PART_BYTES } from '../kernels/weight.ts'
import type { SettledValues } from './settled-values.ts'

/** What one session has written, on top of the value that it began with. */
export interface Strand {
  readonly device: DeviceId
  readonly session: SessionId
  /** The last commit. */
  readonly seq: number
  /** Empty while the last commit is being made. */
  readonly prefix: string
  /** Strands that began later have higher ranks. Only strands of one device are compared to decide which are kept. */
  readonly rank: number
  /** The number of the last event. */
  readonly number: number
  readonly value: Json
  /** Whether it has events without an effect on this device. */
  readonly isIncomplete: boolean
  /** The last commits of other strands that this one continues or replaces. */
  readonly names: readonly NamedCommit[]
  readonly weight: number
}

/** The strands that are kept, by session. */
export type Strands = ReadonlyMap<SessionId, Strand>

export const noStrands: Strands = new Map()

/** A strand whose value is one of `values`. */
export function strandOf(fields: Omit<Strand, 'weight'>, values: SettledValues): Strand {
  const value = values.take(fields.value)
  const weight = (fields.names.length + 1) * PART_BYTES + values.bytesOf(value)
  return { ...fields, value, weight }
}

/**
 * `strands` with a new or longer strand. Of each device, those of the highest ranks are kept. The rank of a session only grows, so which ones are
 * kept in the end does not depend on the order in which they came.
 */
export function withStrand(strands: Strands, strand: Strand): Strands {
  const all = new Map(strands).set(strand.session, strand)
  const own = [...all.values()].filter(({ device }) => device === strand.device)
  for (const { session } of own.sort(byRank).slice(limits.branchesPerDevice)) all.delete(session)
  return all
}

/**
 * The strands that no other one continues or replaces at their last commit, the highest rank first. If there are none, because hostile sessions
 * replace each other, all of them.
 */
export function branchesOf(strands: Strands): readonly Strand[] {
  const replaced = new Set<string>()
  for (const { names } of strands.values()) for (const { key } of names) replaced.add(key)
  const all = [...strands.values()].sort(byRank)
  const live = all.filter((strand) => !replaced.has(lastOf(strand).key))
  return live.length > 0 ? live : all
}

/** The last commit of a strand, as other strands name it. */
export const lastOf = ({ session, seq, prefix }: Strand): NamedCommit =>
  new NamedCommit(session, seq, prefix)

/** The number of the last of `count` events after the event `number`. */
export const nextNumber = (number: number, count: number): number =>
  Math.min(number + count, Number.MAX_SAFE_INTEGER)

const byRank = (a: Strand, b: Strand): number =>
  b.rank - a.rank || compareTexts(b.session, a.session)
