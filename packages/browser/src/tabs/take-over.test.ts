import { limits, PeerplaneError } from '@peerplane/core'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'

import { Actor, callsIn, kinds, type Call, type Kind, type Story } from './actor.fixture.test.ts'
import { World } from './world.fixture.test.ts'

/*
 * Tabs come, work, hang and go at random moments. Whatever happens:
 *
 * - when a promise resolves, the watches of its tab have shown the effect;
 * - what was acknowledged is there in the end, once;
 * - what a tab has shown does not disappear from it;
 * - every promise settles in time, and `unknown` can be settled for good;
 * - calls of one tab take effect in their order.
 */

const names = Object.keys(kinds) as Kind[]
const kind = fc.constantFrom(...names)
const which = fc.nat(5)
const step = fc.record({
  waitMs: fc.oneof(
    { weight: 6, arbitrary: fc.nat(12) },
    { weight: 1, arbitrary: fc.nat(200) },
    { weight: 1, arbitrary: fc.nat(20_000) },
  ),
  what: fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({ mark: kind, which, times: fc.integer({ min: 1, max: 4 }) }),
    },
    { weight: 3, arbitrary: fc.record({ both: fc.tuple(kind, kind), which }) },
    { weight: 2, arbitrary: fc.constant({ open: true }) },
    {
      weight: 4,
      arbitrary: fc.record({
        end: fc.constantFrom('close', 'leave', 'crash'),
        leader: fc.boolean(),
        which,
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        hangMs: fc.oneof(fc.nat(50), fc.integer({ min: 5_000, max: 40_000 })),
        leader: fc.boolean(),
        which,
      }),
    },
  ),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

// The document kernel loads when the first document is opened; that takes real time.
beforeAll(async () => {
  const world = new World(0)
  const actor = new Actor({ world, seed: 0, calls: [], faults: [], tabs: 0 })
  while (actor.shown('note').length === 0) {
    if (actor.plane) actor.mark('note')
    await world.run(100)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
})

test('a take-over loses no command, hides no effect and answers every call, whatever happens to the tabs', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 100_000 }), fc.array(step, { maxLength: 40 }), run),
    { numRuns: 60 },
  )
}, 120_000)

async function run(seed: number, steps: readonly Step[]): Promise<void> {
  const world = new World(seed)
  const story: Story = { world, seed, calls: [], faults: [], tabs: 0 }
  let actors = [new Actor(story), new Actor(story)]
  for (const { waitMs, what } of steps) {
    await world.run(waitMs)
    actors = actors.filter(({ tab, closed }) => tab.alive && !closed)
    while (actors.length < 2) actors.push(new Actor(story))
    perform(what, actors, () => {
      if (actors.length < 5) actors.push(new Actor(story))
    })
  }
  // Tabs that hang wake up, and every deadline passes.
  await world.run(50_000 + 2 * limits.tabAnswerMs)
  const reader = new Actor(story)
  await world.run(50_000, () => reader.plane !== undefined)
  expect(reader.plane).toBeDefined()
  const final = new Map(
    await within(
      world,
      names.map(async (each) => [each, await reader.state(each)] as const),
    ),
  )
  const contained = new Map(names.map((each) => [each, callsIn(each, final.get(each)!)]))
  for (const actor of actors.filter(({ tab, closed, plane }) => tab.alive && !closed && plane)) {
    for (const each of names) {
      expect([...actor.shown(each)], `${actor.name} shows ${each}`).toEqual(contained.get(each))
    }
  }
  checkCalls(story.calls, contained)
  await checkUnknown(story, reader, contained)
  expect(story.faults).toEqual([])
}

function perform(what: Step['what'], actors: readonly Actor[], open: () => void): void {
  if ('open' in what) return open()
  const leader = actors.find(({ role }) => role === 'leader')
  const chosen = actors[what.which % actors.length]!
  const actor = 'leader' in what && what.leader && leader ? leader : chosen
  if ('mark' in what) for (let i = 0; i < what.times; i++) actor.mark(what.mark)
  if ('both' in what && what.both[0] !== what.both[1]) actor.markBoth(what.both)
  if ('hangMs' in what) actor.tab.hang(what.hangMs)
  if (!('end' in what)) return
  if (what.end === 'close') actor.close()
  else if (what.end === 'leave') actor.leave()
  else actor.tab.die()
}

function checkCalls(calls: readonly Call[], contained: ReadonlyMap<Kind, readonly string[]>): void {
  for (const { token, kind, result, tab, calledAt, settledAt } of calls) {
    const isThere = contained.get(kind)!.includes(token)
    if (result === 'acknowledged') {
      if (kind !== 'tally') expect(isThere, `${token} was acknowledged`).toBe(true)
    } else if (result === 'open') {
      expect(tab.tab.alive && !tab.closed, `${token} was never answered`).toBe(false)
    } else {
      expect(['unknown', 'closed', 'timeout'], `${token}: ${result.message}`).toContain(result.code)
      if (result.code !== 'unknown') expect(isThere, `${token}: ${result.code}`).toBe(false)
    }
    if (result !== 'open') {
      expect(settledAt - calledAt).toBeLessThan(limits.tabAnswerMs + tab.tab.hung + 5_000)
    }
  }
  const surely = (kind: Kind): number =>
    calls.filter((call) => call.kind === kind && call.result === 'acknowledged').length
  const perhaps = (kind: Kind): number =>
    calls.filter(
      ({ kind: each, result }) => each === kind && (result === 'open' || isUnknown(result)),
    ).length
  for (const kind of names) {
    const found = contained.get(kind)!
    expect(new Set(found).size).toBe(found.length)
    expect(found.length).toBeGreaterThanOrEqual(surely(kind))
    expect(found.length).toBeLessThanOrEqual(surely(kind) + perhaps(kind))
  }
  const written = contained.get('note')!
  for (const tab of new Set(calls.map((call) => call.tab.name))) {
    const own = written.filter((token) => token.startsWith(`${tab}.`))
    const numbers = own.map((token) => Number(token.split('.')[1]))
    expect(numbers, `order of ${tab}`).toEqual(numbers.toSorted((a, b) => a - b))
  }
}

/** What is said of an operation is true, and stays true. */
async function checkUnknown(
  { world, calls }: Story,
  reader: Actor,
  contained: ReadonlyMap<Kind, readonly string[]>,
): Promise<void> {
  for (const { kind, token, result } of calls) {
    if (!isUnknown(result)) continue
    const operationId = result.operationId!
    const [outcome] = await within(world, [reader.plane!.outcome(operationId)])
    if (kind !== 'tally') {
      const isThere = contained.get(kind)!.includes(token)
      expect({ token, ran: outcome !== undefined }).toEqual({ token, ran: isThere })
    }
    if (outcome) continue
    const invocation = { type: kind, id: 'x', command: 'mark', input: token }
    const again = reader
      .backend!.invoke([invocation], { operationId })
      .catch((error: unknown) => error)
    const [refused] = await within(world, [again])
    expect(refused).toMatchObject({ code: 'withdrawn' })
  }
}

const isUnknown = (result: Call['result']): result is PeerplaneError =>
  result instanceof PeerplaneError && result.code === 'unknown'

async function within<T>(world: World, promises: readonly Promise<T>[]): Promise<T[]> {
  let done = false
  const all = Promise.all(promises).finally(() => (done = true))
  await world.run(50_000, () => done)
  expect(done).toBe(true)
  return all
}
