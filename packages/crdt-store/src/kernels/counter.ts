import { describe, PeerplaneError, type CounterHandle, type Value } from '@peerplane/core'

import { touch, type Cell, type CellAccess, type Kernel, type NativeKind } from './kernel.ts'
import { readOp } from './op.ts'
import { OtherKind } from './other-kind.ts'
import { Void } from './void.ts'

export interface CounterCell extends Cell {
  /** Exact: a number as long as it is a safe integer. */
  total: number | bigint
}

/*
 *   increment   by         a whole number
 */

/**
 * A counter: the sum of all that was ever added. It is exact, also where it leaves the safe integers, and then shown as the nearest of them: so all
 * devices show the same, and come back together.
 */
export const counterKernel: Kernel<CounterCell> = totalKernel(
  'counter',
  (op) => {
    const fields = readOp(op, 'counter')
    if (fields instanceof OtherKind) return fields
    const [by] = fields
    if (!Number.isSafeInteger(by)) throw new Void('a counter counts in whole numbers')
    return by as number
  },
  counterHandle,
)

/** A kernel that adds up what `read` finds in ops. */
export function totalKernel(
  kind: NativeKind,
  read: (op: Value) => number | OtherKind,
  handle: (place: CellAccess<CounterCell>) => object,
): Kernel<CounterCell> {
  return {
    kind,
    create: () => ({ mirror: 0, stale: false, total: 0 }),

    apply(cell, op, context) {
      const by = read(op)
      if (by instanceof OtherKind) return by
      const { total } = cell
      context.draft?.changes(cell, () => String(cell.total))
      cell.total = sum(total, by)
      context.undo(() => {
        cell.total = total
      })
      touch(cell, context)
      return undefined
    },

    weigh: () => 0,
    show: shownTotal,
    handle,

    save({ total }) {
      if (total === 0) return undefined
      return typeof total === 'number' ? total : String(total)
    },

    load: (saved) => ({
      mirror: 0,
      stale: true,
      total: typeof saved === 'number' ? saved : BigInt(saved as string),
    }),
  }
}

export function shownTotal(cell: CounterCell | undefined): number {
  if (!cell) return 0
  if (cell.stale) {
    cell.mirror = nearest(cell.total)
    cell.stale = false
  }
  return cell.mirror as number
}

function counterHandle(place: CellAccess<CounterCell>): CounterHandle {
  const value = (): number => shownTotal(place.cell())
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

function sum(total: number | bigint, by: number): number | bigint {
  if (typeof total === 'number') {
    const quick = total + by
    if (Number.isSafeInteger(quick)) return quick
  }
  const exact = BigInt(total) + BigInt(by)
  const isSafe = exact <= Number.MAX_SAFE_INTEGER && exact >= Number.MIN_SAFE_INTEGER
  return isSafe ? Number(exact) : exact
}

/** The safe integer next to a total. */
function nearest(total: number | bigint): number {
  if (typeof total === 'number') return total
  return total > 0n ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER
}
