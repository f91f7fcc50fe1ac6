import type { SessionId, Value } from '@peerplane/core'

import { items, Void } from '../void.ts'

/*
 * A rank is where a node stands among its siblings. It consists of levels of four numbers: [number, run, step, op, number, run, step, op, …]. Ranks
 * are compared number by number, and a rank comes after the ranks that it begins with.
 *
 *   number   orders the runs of one level; the runs that several sessions begin in one gap may have the same number
 *   run      stands for the session that has made the run, so that runs of several sessions do not mix
 *   step     counts what its session has put one after another, up or down
 *   op       stands for the op that has made the rank, so that a session never makes a rank twice
 *
 * As in Fugue (Weidner and Kleppmann 2023), what two sessions put into one gap at the same time, forwards or backwards, is not interleaved. Unlike
 * a position of Fugue, a rank stands alone: it needs none of the earlier positions, so a move leaves nothing behind.
 */
export type Rank = readonly number[]

/** The most levels of a rank. A rank has several levels only where nodes were put between others again and again. */
export const RANK_LEVELS = 32

/** How far apart the numbers of neighbours are at first, so that others fit between them. */
const GAP = 16

/** Numbers and steps lie between this and its negative. */
const LARGEST = 2 ** 40

/** Four numbers. */
const LEVEL = 4

/** More than a commit has ops on one entity. */
const OPS = 2 ** 14

/** Order of ranks. */
export function compareRanks(a: Rank, b: Rank): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}

/** The numbers in ranks that stand for a session and for one of its ops. */
export interface Maker {
  readonly run: number
  readonly op: number
}

/** The maker of the ranks in an op. Two sessions nearly always have different runs. */
export const makerOf = (
  { session, seq }: { session: SessionId; seq: number },
  index: number,
): Maker => ({
  run: Number.parseInt(session.slice(0, 8), 16),
  op: seq * OPS + index,
})

/**
 * A rank between those of two neighbours, of which each may be missing.
 *
 * Where a forged rank leaves no room, it is the nearest one after `before`.
 */
export function rankBetween(before: Rank | undefined, after: Rank | undefined, by: Maker): Rank {
  const onwards = before && stepped(before, 1, by)
  if (onwards && isBelow(onwards, after)) return onwards
  const backwards = after && stepped(after, -1, by)
  if (backwards && (!before || compareRanks(before, backwards) < 0)) return backwards
  return newRun(before ?? [], isBelow(before ?? [], after) ? after : undefined, by)
}

/** As in ops: the run and the op of the last level go without saying. */
export const rankToValue = (rank: Rank): Value[] => [...rank.slice(0, -3), rank.at(-2)!]

/** Inverse of {@link rankToValue}. Throws `Void`. */
export function readRank(value: Value | undefined, { run, op }: Maker): Rank {
  const list = items(value)
  const isWhole = list.length % LEVEL === LEVEL - 2 && list.length < RANK_LEVELS * LEVEL
  if (!isWhole || !list.every(Number.isSafeInteger)) throw new Void('not the rank of a node')
  const numbers = list as readonly number[]
  return [...numbers.slice(0, -1), run, numbers.at(-1)!, op]
}

/** The next rank in the run of the last level, if that is `run`. */
function stepped(rank: Rank, by: 1 | -1, { run, op }: Maker): Rank | undefined {
  const step = rank.at(-2)! + by
  return rank.at(-3) === run && isInRange(step) ? [...rank.slice(0, -2), step, op] : undefined
}

/** The first rank of a new run, as near to the top as there is room. */
function newRun(before: Rank, after: Rank | undefined, by: Maker): Rank {
  let upper = after
  for (let at = 0; at < RANK_LEVELS * LEVEL; at += LEVEL) {
    const number = numberBetween(before[at], upper?.[at])
    if (number !== undefined) return [...before.slice(0, at), number, by.run, 0, by.op]
    if (at >= before.length) break
    // What begins as `before` does up to this level comes before `after`, unless `after` does so too.
    if (upper && !isSameLevel(before, upper, at)) upper = undefined
  }
  return beyond(before, by)
}

/** The nearest rank after `before` that has room, whatever comes after it. */
function beyond(before: Rank, { run, op }: Maker): Rank {
  for (let at = before.length - LEVEL; at >= 0; at -= LEVEL) {
    const number = before[at]! + 1
    if (isInRange(number)) return [...before.slice(0, at), number, run, 0, op]
  }
  return [before.length > 0 ? LARGEST : -LARGEST, run, 0, op]
}

const isSameLevel = (a: Rank, b: Rank, at: number): boolean =>
  compareRanks(a.slice(at, at + LEVEL), b.slice(at, at + LEVEL)) === 0

/** A number between two others, of which each may be missing. */
function numberBetween(low: number | undefined, high: number | undefined): number | undefined {
  if (low === undefined) return high === undefined ? 0 : inRange(high - GAP)
  if (high === undefined) return inRange(low + GAP)
  const middle = Math.floor((low + high) / 2)
  return middle > low && middle < high ? middle : undefined
}

const isBelow = (rank: Rank, limit: Rank | undefined): boolean =>
  limit === undefined || compareRanks(rank, limit) < 0

const isInRange = (number: number): boolean => Math.abs(number) <= LARGEST

const inRange = (number: number): number | undefined => (isInRange(number) ? number : undefined)
