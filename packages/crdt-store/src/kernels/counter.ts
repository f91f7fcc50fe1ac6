import { describe, PeerplaneError, type CounterHandle, type SessionId } from '@peerplane/core'

import { readRefs, toRefs } from './commits.ts'
import { some, touch, type Cell, type Kernel, type CellAccess } from './kernel.ts'
import { readNames, readOp } from './op.ts'
import { OtherKind } from './other-kind.ts'
import { ExpectedCommits } from './survivors.ts'
import { Share } from './share.ts'
import { items } from './void.ts'

interface CounterCell extends Cell {
  readonly shares: Map<SessionId, Share>
  /** Commits that removals named before they came. */
  readonly expected: ExpectedCommits
}

/*
 *   increment   by         a whole number
 *   removal     commits    the latest one of each other session that was observed; it stands for those before it
 *
 * A removal also takes back all that its own session has added before. A share that was taken back whole is kept, because it bounds what its
 * session may still add.
 */

/**
 * A counter: the sum over sessions of what they added since the last removal. Whole numbers only; a session's total stays a safe integer.
 * The sum is exact, also where it leaves the safe integers, and then shown as the nearest of them: so all devices show the same, and come
 * back together.
 *
 * Where nothing can remove it, which is not below a map, it does not keep which commits have added to it.
 */
export function counterKernel(isRemovable: boolean): Kernel<CounterCell> {
  return {
    kind: 'counter',
    create,

    apply(cell, op, context) {
      const fields = readOp(op, 'counter')
      if (fields instanceof OtherKind) return fields
      const [by] = fields
      const { session } = context.origin
      context.draft?.changes(cell, undefined, () => partsOf(cell))
      let share = cell.shares.get(session)
      if (!share) {
        share = new Share()
        cell.shares.set(session, share)
        context.undo(() => cell.shares.delete(session))
      }
      share.add(by as number, context, isRemovable)
      if (cell.expected.has(context.commit)) share.takeBack(context.commit, context)
      touch(cell, context)
      return undefined
    },

    remove(cell, observed, context) {
      const names = readNames(observed, 'counter', context.table)
      if (names instanceof OtherKind) return names
      context.draft?.changes(cell, undefined, () => partsOf(cell))
      for (const commit of names) {
        const isTaken = cell.shares.get(commit.session)?.takeBack(commit, context)
        if (!isTaken) cell.expected.add(commit, context)
      }
      cell.shares.get(context.origin.session)?.takeBackAll(context)
      touch(cell, context)
      return undefined
    },

    observe(cell, table) {
      const latest = [...cell.shares.values()].flatMap(({ latest }) => latest ?? [])
      return latest.length > 0 ? toRefs(latest, table) : undefined
    },

    isLive: ({ shares }) => some(shares.values(), ({ latest }) => latest !== undefined),
    isBlank: ({ shares, expected }) => shares.size === 0 && expected.isEmpty,

    weigh({ shares, expected }) {
      let { weight } = expected
      for (const share of shares.values()) weight += share.weight
      return weight
    },

    show: shown,
    handle: (place) => counterHandle(place),

    save({ shares, expected }, table) {
      const named = expected.sorted(table)
      if (shares.size === 0 && named.length === 0) return undefined
      const saved = [...shares]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([session, share]) => [table.sessionRef(session), ...share.save()])
      return [saved, toRefs(named, table)]
    },

    load(saved, table) {
      const [shares, expected] = items(saved, 2)
      const cell = create(new ExpectedCommits(readRefs(expected, table)))
      for (const each of items(shares)) {
        const [ref, ...share] = items(each)
        const session = table.session(ref)
        cell.shares.set(session, Share.load(session, share))
      }
      cell.stale = true
      return cell
    },
  }
}

const create = (expected = new ExpectedCommits()): CounterCell => ({
  mirror: 0,
  stale: false,
  shares: new Map(),
  expected,
})

/** What the sum is made of. Beyond the safe integers, a change of the sum does not show. */
const partsOf = ({ shares }: CounterCell): number[][] =>
  [...shares.values()]
    .filter(({ total, taken }) => total !== taken)
    .map(({ total, taken }) => [total, taken])

function shown(cell: CounterCell | undefined): number {
  if (!cell) return 0
  if (cell.stale) {
    cell.mirror = sum(cell.shares.values())
    cell.stale = false
  }
  return cell.mirror as number
}

function counterHandle(place: CellAccess<CounterCell>): CounterHandle {
  const value = (): number => shown(place.cell())
  const add = (by: number, sign: 1 | -1): void => {
    if (!Number.isSafeInteger(by)) {
      const reason = `a counter counts in whole numbers, not by ${describe(by)}`
      throw new PeerplaneError('invalid-input', reason)
    }
    if (!Number.isSafeInteger(value() + sign * by)) {
      const reason = `a counter at ${value()} cannot change by ${sign * by}: it would leave the safe integers`
      throw new PeerplaneError('invalid-input', reason)
    }
    if (by !== 0) place.write(sign * by)
  }
  return Object.freeze({
    get value() {
      return value()
    },
    increment: (by = 1) => add(by, 1),
    decrement: (by = 1) => add(by, -1),
  })
}

/** Exact whatever the order; beyond the safe integers, where only concurrent commands can lead, the nearest of them. */
function sum(shares: Iterable<Share>): number {
  let exact = 0n
  let quick = 0
  let isSafe = true
  const parts = [...shares]
  for (const { total, taken } of parts) {
    quick += total - taken
    isSafe &&= Number.isSafeInteger(total - taken) && Number.isSafeInteger(quick)
  }
  if (isSafe) return quick
  for (const { total, taken } of parts) exact += BigInt(total) - BigInt(taken)
  if (exact > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER
  return exact < Number.MIN_SAFE_INTEGER ? Number.MIN_SAFE_INTEGER : Number(exact)
}
