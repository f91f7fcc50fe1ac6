import { describe, PeerplaneError, type CounterHandle, type SessionId } from '@peerplane/core'

import { some, touch, type Cell, type Kernel, type CellAccess } from './kernel.ts'
import { readOp } from './op.ts'
import type { OpContext } from './op-context.ts'
import { items, Void, whole } from './void.ts'

/** The part of a counter that one session holds. Positions are (seq, index); 0 is before the first. */
interface Tally {
  readonly seq: number
  readonly index: number
  /** Sum of all increments of the session up to its position. */
  readonly total: number
  /** What removals have taken back: everything up to this position, when the total was `baseTotal`. */
  readonly baseSeq: number
  readonly baseIndex: number
  readonly baseTotal: number
}

interface CounterCell extends Cell {
  readonly tallies: Map<SessionId, Tally>
}

const untouched: Tally = { seq: 0, index: 0, total: 0, baseSeq: 0, baseIndex: 0, baseTotal: 0 }

/*
 *   increment   by                                    a whole number
 *   removal     [session, seq, index, total, …]       how far each other session was observed, and its total there
 *
 * A removal also takes back all that its own session has added before.
 * Tallies only grow and bases only advance, so the state is a join: any order gives the same. A tally that a removal took back whole is
 * kept, because increments that were concurrent with the removal continue its total.
 */

/**
 * A counter: the sum over sessions of what they added since the last removal. Whole numbers only; a session's total stays a safe integer.
 * The sum is exact, also where it leaves the safe integers, and then shown as the nearest of them: so all devices show the same, and come
 * back together.
 */
export const counterKernel: Kernel<CounterCell> = {
  kind: 'counter',
  create: () => ({ mirror: 0, stale: false, tallies: new Map() }),

  apply(cell, op, context) {
    const { seq } = context.origin
    const tally = cell.tallies.get(context.origin.session) ?? untouched
    const [by] = readOp(op, 'counter')
    const total = tally.total + (by as number)
    if (!Number.isSafeInteger(by) || !Number.isSafeInteger(total)) {
      throw new Void('a counter leaves the range of whole numbers')
    }
    replace(cell, context.origin.session, { ...tally, seq, index: context.index, total }, context)
  },

  remove(cell, observed, context) {
    const numbers = items(observed)
    if (numbers.length % 4 !== 0) throw new Void('an observed tally has four numbers')
    for (let i = 0; i < numbers.length; i += 4) {
      const session = context.session(numbers[i])
      const baseSeq = whole(numbers[i + 1], 1)
      const baseIndex = whole(numbers[i + 2])
      const baseTotal = whole(numbers[i + 3], Number.MIN_SAFE_INTEGER)
      takeBack(cell, session, { baseSeq, baseIndex, baseTotal }, context)
    }
    const own = cell.tallies.get(context.origin.session)
    if (!own) return
    const { seq: baseSeq, index: baseIndex, total: baseTotal } = own
    takeBack(cell, context.origin.session, { baseSeq, baseIndex, baseTotal }, context)
  },

  observe(cell, sessions) {
    const ahead = [...cell.tallies].filter(([, tally]) => isAhead(tally))
    if (ahead.length === 0) return undefined
    return ahead
      .filter(([session]) => session !== sessions.own)
      .flatMap(([session, { seq, index, total }]) => [sessions.ref(session), seq, index, total])
  },

  isLive: (cell) => some(cell.tallies.values(), isAhead),
  isBlank: (cell) => cell.tallies.size === 0,

  show(cell) {
    if (!cell) return 0
    if (cell.stale) {
      cell.mirror = sum(cell.tallies.values())
      cell.stale = false
    }
    return cell.mirror
  },

  handle: (place) => counterHandle(place),

  save(cell, sessions) {
    if (cell.tallies.size === 0) return undefined
    return [...cell.tallies]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([session, { seq, index, total, baseSeq, baseIndex, baseTotal }]) => {
        const tally = [sessions.ref(session), seq, index, total]
        return baseSeq > 0 ? [...tally, baseSeq, baseIndex, baseTotal] : tally
      })
  },

  load(saved, sessions) {
    const cell = counterKernel.create()
    for (const each of items(saved)) {
      const [ref, seq, index, total, baseSeq = 0, baseIndex = 0, baseTotal = 0] = items(
        each,
      ) as number[]
      cell.tallies.set(sessions.session(ref), {
        seq: whole(seq),
        index: whole(index),
        total: whole(total, Number.MIN_SAFE_INTEGER),
        baseSeq: whole(baseSeq),
        baseIndex: whole(baseIndex),
        baseTotal: whole(baseTotal, Number.MIN_SAFE_INTEGER),
      })
    }
    cell.stale = true
    return cell
  },
}

function counterHandle(place: CellAccess<CounterCell>): CounterHandle {
  const value = (): number => counterKernel.show(place.cell()) as number
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

function replace(cell: CounterCell, session: SessionId, next: Tally, context: OpContext): void {
  const before = cell.tallies.get(session)
  cell.tallies.set(session, next)
  touch(cell, context)
  context.undo(() => {
    if (before) cell.tallies.set(session, before)
    else cell.tallies.delete(session)
  })
}

/** Takes back what a session has added up to `base`, unless more has been taken back before. */
function takeBack(
  cell: CounterCell,
  session: SessionId,
  base: Pick<Tally, 'baseSeq' | 'baseIndex' | 'baseTotal'>,
  context: OpContext,
): void {
  const tally = cell.tallies.get(session) ?? untouched
  const { baseSeq, baseIndex, baseTotal } = base
  const advance =
    baseSeq - tally.baseSeq || baseIndex - tally.baseIndex || baseTotal - tally.baseTotal
  if (advance > 0) replace(cell, session, { ...tally, ...base }, context)
}

/** Whether the session has added something that no removal took back. */
const isAhead = ({ seq, index, baseSeq, baseIndex }: Tally): boolean =>
  (seq - baseSeq || index - baseIndex) > 0

/** Exact whatever the order; beyond the safe integers, where only concurrent commands can lead, the nearest of them. */
function sum(tallies: Iterable<Tally>): number {
  let exact = 0n
  let quick = 0
  let isSafe = true
  const parts = [...tallies].filter(isAhead)
  for (const { total, baseTotal } of parts) {
    quick += total - baseTotal
    isSafe &&= Number.isSafeInteger(total - baseTotal) && Number.isSafeInteger(quick)
  }
  if (isSafe) return quick
  for (const { total, baseTotal } of parts) exact += BigInt(total) - BigInt(baseTotal)
  if (exact > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER
  return exact < Number.MIN_SAFE_INTEGER ? Number.MIN_SAFE_INTEGER : Number(exact)
}
