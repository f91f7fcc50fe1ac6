import { counter, entity, record, register } from '@peerplane/core'
import { expect, test } from 'vitest'

import { InvariantBroken, simulate, type Simulation } from './simulate.ts'

/** Counts by overwriting: two devices that sell at once count one sale. */
const Careless = entity('careless', {
  state: record({ sold: register(0) }),
  commands: { sell: (stock) => stock.sold.set(stock.sold.value + 1) },
})

const Careful = entity('careful', {
  state: record({ sold: counter() }),
  commands: { sell: (stock) => stock.sold.increment() },
})

test(
  'a lost update is found, and the seed that is named shows it again',
  { timeout: 300_000 },
  async () => {
    const simulation: Simulation = {
      entities: [Careless],
      seeds: 20,
      faults: ['partition', 'reset', 'pause'],
      scenario: () => {
        let sold = 0
        return {
          async step({ plane }) {
            await plane.get(Careless, 'apples').sell()
            sold++
          },
          async check({ plane }) {
            expect((await plane.get(Careless, 'apples').state()).sold).toBe(sold)
          },
        }
      },
    }
    const broken = await simulate(simulation).catch((error: unknown) => error)
    expect(broken).toBeInstanceOf(InvariantBroken)
    const { seed, message, plan } = broken as InvariantBroken
    // Two sales on two devices, neither of which knows of the other.
    expect(plan.steps.length).toBeLessThanOrEqual(10)
    expect(message.match(/sell on careless\/apples/g)?.length).toBeGreaterThanOrEqual(2)
    expect(message).toContain('Broken rule: invariant')
    const again = await simulate({ ...simulation, first: seed, seeds: 1 }).catch(
      (error: unknown) => error,
    )
    expect((again as InvariantBroken).message).toBe(message)
  },
)

test(
  'an entity that keeps its promise passes, whatever happens',
  { timeout: 300_000 },
  async () => {
    let runs = 0
    await simulate({
      entities: [Careful],
      seeds: 20,
      scenario: () => {
        runs++
        let asked = 0
        return {
          async step({ plane }) {
            asked++
            await plane.get(Careful, 'apples').sell()
          },
          async check({ plane }) {
            const { sold } = await plane.get(Careful, 'apples').state()
            expect(sold).toBeGreaterThan(0)
            expect(sold).toBeLessThanOrEqual(asked)
          },
        }
      },
    })
    expect(runs).toBe(20)
  },
)
