import type { Plane } from '#peerplane'
import { processorTime } from '@peerplane/core/testing'
import {
  InvariantBroken,
  simulate,
  type Action,
  type Invariant,
  type Performed,
} from '@peerplane/testing'
import { expect, test } from 'vitest'

import { NaiveStock, Stock } from './stock.ts'

test('simulation finds the sale that is lost when two tills sell at the same time, and tells how', async () => {
  const began = processorTime()
  const found: unknown = await simulate({
    entities: [NaiveStock],
    ...shop((plane) => plane.get(NaiveStock, 'apples')),
  }).catch((error: unknown) => error)
  expect(processorTime() - began).toBeLessThan(5_000)
  expect(found).toBeInstanceOf(InvariantBroken)
  const { message, plan } = found as InvariantBroken
  expect(plan.steps.length).toBeLessThanOrEqual(10)
  expect(message).toContain('nothing is lost')
  // The two writes, each by its own device.
  const writes = [...message.matchAll(/(\w+): (?:deliver|sell) \d on naive-stock\/apples/g)]
  expect(new Set(writes.map(([, device]) => device)).size).toBeGreaterThanOrEqual(2)
}, 60_000)

test('the corrected stock keeps its promise, whatever happens', async () => {
  await simulate({
    entities: [Stock],
    seeds: 50,
    ...shop((plane) => plane.get(Stock, 'apples')),
  })
}, 60_000)

/** What a test needs of either stock. */
interface Shelf {
  deliver(count: number): Promise<unknown>
  sell(count: number): Promise<unknown>
  state(): Promise<{ readonly left: number }>
}

/** What people do in the shop, and what they rely on. */
function shop(shelfOf: (plane: Plane) => Shelf): {
  workload: Record<string, Action>
  invariants: Record<string, Invariant>
} {
  return {
    workload: {
      deliver: async ({ plane, random }) => {
        const count = 1 + random.below(9)
        await shelfOf(plane).deliver(count)
        return count
      },
      sell: async ({ plane }) => {
        await shelfOf(plane).sell(1)
        return -1
      },
    },
    invariants: {
      'nothing is lost': async ({ plane }, done) => {
        const { left } = await shelfOf(plane).state()
        const expected = sum(done, 'acknowledged')
        expect(left).toBeGreaterThanOrEqual(expected - count(done, 'sell', 'unknown'))
        expect(left).toBeLessThanOrEqual(expected + 9 * count(done, 'deliver', 'unknown'))
      },
    },
  }
}

const sum = (done: readonly Performed[], outcome: Performed['outcome']): number =>
  done
    .filter((each) => each.outcome === outcome)
    .reduce((total, { result }) => total + (result as number), 0)

const count = (done: readonly Performed[], action: string, outcome: Performed['outcome']): number =>
  done.filter((each) => each.action === action && each.outcome === outcome).length
