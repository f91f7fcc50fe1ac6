import { counter, entity, perturbations, record, register, Rejected } from '@peerplane/core'
import { expect, test } from 'vitest'

import { performWorkload, runWorkload, type WorkloadPlan } from './simulate-run.ts'
import { InvariantBroken, simulate } from './simulate.ts'
import type { Performed, Simulation } from './simulation.ts'

/** Counts by overwriting: two devices that sell at once count one sale. */
const Careless = entity('careless', {
  state: record({ sold: register(0) }),
  commands: { sell: (stock) => stock.sold.set(stock.sold.value + 1) },
})

const Careful = entity('careful', {
  state: record({ sold: counter() }),
  commands: {
    sell: (stock) => stock.sold.increment(),
    overreach: (stock) => {
      stock.sold.increment(100)
      throw new Rejected('sold-out', 'there are not so many')
    },
  },
})

/** How often a thing was acknowledged, and how often it may have happened. */
function bounds(done: readonly Performed[]): [least: number, most: number] {
  const certain = done.filter(({ outcome }) => outcome === 'acknowledged').length
  const possible = done.filter(({ outcome }) => outcome === 'unknown').length
  return [certain, certain + possible]
}

test(
  'a lost update is found among all kinds of fault, made small, and shown again by the seed that is named',
  { timeout: 300_000 },
  async () => {
    const simulation: Simulation = {
      entities: [Careless],
      seeds: 20,
      workload: { sell: ({ plane }) => plane.get(Careless, 'apples').sell() },
      invariants: {
        'every sale counts': async ({ plane }, done) => {
          const { sold } = await plane.get(Careless, 'apples').state()
          expect(sold).toBeGreaterThanOrEqual(bounds(done)[0])
        },
      },
    }
    const broken = await simulate(simulation).catch((error: unknown) => error)
    expect(broken).toBeInstanceOf(InvariantBroken)
    const { seed, message, plan } = broken as InvariantBroken
    // Two sales on two devices, neither of which knows of the other.
    expect(plan.steps.length).toBeLessThanOrEqual(10)
    expect(message.match(/sell on careless\/apples/g)?.length).toBeGreaterThanOrEqual(2)
    expect(message).toContain('every sale counts: expected 1')
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
    const seen = { checks: 0, acknowledged: 0, refused: 0, unknown: 0 }
    await simulate({
      entities: [Careful],
      seeds: 20,
      workload: {
        sell: ({ plane }) => plane.get(Careful, 'apples').sell(),
        overreach: ({ plane }) => plane.get(Careful, 'apples').overreach(),
      },
      invariants: {
        'every sale counts, once': async ({ plane }, done) => {
          const { sold } = await plane.get(Careful, 'apples').state()
          const [least, most] = bounds(done.filter(({ action }) => action === 'sell'))
          expect(sold).toBeGreaterThanOrEqual(least)
          expect(sold).toBeLessThanOrEqual(most)
          seen.checks++
          for (const { outcome } of done) seen[outcome]++
        },
        'what is refused has no effect': async (_, done) => {
          const tried = done.filter(({ action }) => action === 'overreach')
          expect(tried.map(({ outcome }) => outcome)).not.toContain('acknowledged')
        },
      },
    })
    expect(seen.checks).toBeGreaterThanOrEqual(60)
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0)
  },
)

test('every seed has a random half of the rare ways, and its plan has the same', async () => {
  let seen: unknown
  const simulation: Simulation = {
    entities: [Careful],
    workload: {
      // What a device sees of the others by then shows every difference in time.
      sell: async ({ plane }) => {
        await plane.get(Careful, 'apples').sell()
        return plane.get(Careful, 'apples').state()
      },
    },
    invariants: {
      'is looked at': (_, done) => {
        seen = structuredClone(done)
      },
    },
  }
  const seenIn = async (plan: WorkloadPlan): Promise<unknown> => {
    expect((await runWorkload(simulation, plan)).failure).toBeUndefined()
    return seen
  }
  const ways = new Set<string>()
  let otherwise = 0
  for (let seed = 1; seed <= 10; seed++) {
    const { plan, failure } = await performWorkload(simulation, seed)
    expect(failure).toBeUndefined()
    expect(plan.rareWays).toHaveLength(Math.ceil(perturbations.length / 2))
    for (const way of plan.rareWays!) ways.add(way)
    const first = seen
    expect(await seenIn(JSON.parse(JSON.stringify(plan)) as WorkloadPlan)).toEqual(first)
    const without = await seenIn({ ...plan, rareWays: [] })
    if (JSON.stringify(without) !== JSON.stringify(first)) otherwise++
  }
  expect([...ways].sort()).toEqual([...perturbations].sort())
  expect(otherwise).toBeGreaterThan(0)
})

test(
  'the story tells every command of an action, whenever it is issued, and leaves the words of the application alone',
  { timeout: 120_000 },
  async () => {
    const Note = entity('note', {
      state: record({ sold: register(0), d1: register('') }),
      commands: {
        set: (note, sold: number) => note.sold.set(sold),
        label: (note, text: string) => note.d1.set(text),
        refuse: () => {
          throw new Rejected('sold-out', 'd1 is empty, c2 too')
        },
      },
    })
    const broken = await simulate({
      entities: [Note],
      devices: 2,
      steps: 10,
      seeds: 1,
      workload: {
        // Reads, waits, writes: the most usual form of a lost update.
        sell: async ({ plane }) => {
          const note = plane.get(Note, 'd0')
          const { sold } = await note.state()
          await note.set(sold + 1)
          await note.label('for d1,"c0":d0')
          await note.refuse()
        },
        typo: async ({ plane }) => {
          await plane.get(Note, 'd0').state()
          throw new TypeError('d0 is no function')
        },
      },
      invariants: {
        'd0 holds': async ({ plane }, done) => {
          const { sold } = await plane.get(Note, 'd0').state()
          const tried = (name: string): boolean => done.some(({ action }) => action === name)
          if (sold > 0 && tried('typo')) throw new Error('d1 and c2 are labels of d0.1')
        },
      },
    }).catch((error: unknown) => error)
    expect(broken).toBeInstanceOf(InvariantBroken)
    const [, story] = (broken as InvariantBroken).message.split(/\n\n(.*)/s)
    expect(story).toContain(': set 1 on note/d0: acknowledged as synced')
    expect(story).toMatch(
      / (Ada|Bob), step \d: label "for d1,\\"c0\\":d0" on note\/d0: acknowledged/,
    )
    expect(story).toMatch(
      / (Ada|Bob), step \d: refuse on note\/d0: rejected \(sold-out: d1 is empty, c2 too\)\./,
    )
    expect(story).toMatch(/\d\. .*: fails \(TypeError: d0 is no function\)\./)
    expect(story).toMatch(/ (Ada|Bob): d0 holds: d1 and c2 are labels of d0\.1\n/)
    expect(story).not.toContain('nothing happens')
  },
)

test('a workload that never does anything is no success', async () => {
  const cause = new Error('a typo')
  const idle = simulate({
    entities: [Careful],
    seeds: 1,
    steps: 5,
    workload: { nothing: () => Promise.reject(cause) },
    invariants: {},
  })
  await expect(idle).rejects.toMatchObject({
    message: 'no action was ever acknowledged, so nothing was tested',
    cause,
  })
})
