import { describe, PeerplaneError, type GrowOnlyCounterHandle } from '@peerplane/core'

import { shownTotal, totalKernel, type CounterCell } from './counter.ts'
import type { CellAccess } from './kernel.ts'
import { readOp } from './op.ts'
import { OtherKind } from './other-kind.ts'
import { whole } from './void.ts'

/*
 *   increment   [26, by]   a whole number that is not negative
 */

/** A grow-only counter. */
export const growOnlyCounterKernel = totalKernel(
  'grow-only-counter',
  (op) => {
    const fields = readOp(op, 'grow-only-counter')
    return fields instanceof OtherKind ? fields : whole(fields[1])
  },
  growOnlyCounterHandle,
)

function growOnlyCounterHandle(place: CellAccess<CounterCell>): GrowOnlyCounterHandle {
  const value = (): number => shownTotal(place.cell())
  return Object.freeze({
    get value() {
      return value()
    },
    increment: (by = 1) => {
      if (!Number.isSafeInteger(by) || by < 0) {
        const reason = `a grow-only counter counts in whole numbers that are not negative, not by ${describe(by)}`
        throw new PeerplaneError('invalid-input', reason)
      }
      if (!Number.isSafeInteger(value() + by)) {
        const reason = `a counter at ${value()} cannot grow by ${by}: it would leave the safe integers`
        throw new PeerplaneError('invalid-input', reason)
      }
      if (by !== 0) place.write([26, by])
    },
  })
}
