import { describe } from 'vitest'

import { argumentsContract, type MoreRows } from './arguments.contract.ts'
import { atomicContract } from './atomic.contract.ts'
import type { OpenPlane } from './fixture.ts'
import { inputContract } from './input.contract.ts'
import { lifecycleContract } from './lifecycle.contract.ts'
import { orderContract } from './order.contract.ts'

/** The tests that every {@link Plane} passes: in the leading tab, in a following one, in a daemon. `more` are the functions of one kind only. */
export function planeContract(name: string, open: OpenPlane, more?: MoreRows): void {
  describe(`plane contract: ${name}`, () => {
    orderContract(open)
    lifecycleContract(open)
    atomicContract(open)
    inputContract(open)
    argumentsContract(open, more)
  })
}
