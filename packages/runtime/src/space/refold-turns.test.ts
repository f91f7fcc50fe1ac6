import { limits, type DeviceId, type EntityKey } from '@peerplane/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { RefoldTurns, type ForkShare } from './refold-turns.ts'

const MINUTE_MS = 60_000

interface Fork extends ForkShare {
  readonly left: Set<EntityKey>
}

const fork = (device: string, name: string, entities: number): Fork => ({
  device: device as DeviceId,
  left: new Set(Array.from({ length: entities }, (_, i) => `count/${name} ${i}` as EntityKey)),
})

/** Plays passes a second apart, before each of which `storm` may fork; which devices took part in each of them. */
function play(forks: Fork[], passes: number, storm: (pass: number) => readonly Fork[]): string[][] {
  const turns = new RefoldTurns()
  return Array.from({ length: passes }, (_, pass) => {
    forks.push(...storm(pass))
    forks.splice(0, Infinity, ...forks.filter(({ left }) => left.size > 0))
    const keys = turns.choose(forks, [])
    expect(keys.size).toBeLessThanOrEqual(limits.refoldedEntities)
    turns.advance(limits.refoldPauseMs)
    const served = new Set<string>()
    for (const { device, left } of forks) {
      const before = left.size
      for (const key of keys) left.delete(key)
      if (left.size < before) served.add(device)
    }
    return [...served]
  })
}

const anyStorm = fc.record({
  /** How many entities each fork has changed; the device forks before each pass. */
  entities: fc.integer({ min: 1, max: 400 }),
  seconds: fc.integer({ min: 1, max: 90 }),
  honest: fc.array(
    fc.record({ at: fc.nat({ max: 90 }), entities: fc.integer({ min: 1, max: 100 }) }),
    { maxLength: 5 },
  ),
})

test('if a device forks all the time, entities are folded again for it a bounded number of times a minute, no fork of another device waits for it, and in the end none of its forked commits has an effect', () => {
  fc.assert(
    fc.property(anyStorm, ({ entities, seconds, honest }) => {
      const forks: Fork[] = []
      const others = honest.map(({ at, entities: some }, i) => ({
        at,
        fork: fork(`honest ${i}`, `honest ${i}`, some),
      }))
      const waits = new Map<string, number>()
      // As long as the storm lasts, and then until everything must be done.
      const passes = seconds + Math.ceil((seconds * entities) / limits.refoldedEntities) * 3 + 130
      const served = play(forks, passes, (pass) => [
        ...(pass < seconds ? [fork('stormy', `stormy ${pass}`, entities)] : []),
        ...others.flatMap((other) => (other.at === pass ? [other.fork] : [])),
      ])
      for (const [pass, devices] of served.entries()) {
        for (const device of devices) if (!waits.has(device)) waits.set(device, pass)
      }
      for (const { at, fork: each } of others) expect(waits.get(each.device)).toBe(at)
      const minute = MINUTE_MS / limits.refoldPauseMs
      for (let from = 0; from < passes; from++) {
        const stormy = served.slice(from, from + minute).filter((each) => each.includes('stormy'))
        expect(stormy.length).toBeLessThanOrEqual(limits.refoldsPerMinute)
      }
      expect(forks.filter(({ left }) => left.size > 0)).toEqual([])
    }),
    { numRuns: 25 },
  )
})

test('a pass takes what commands wait for, also if its device may not take part', () => {
  const turns = new RefoldTurns()
  const stormy = fork('stormy', 'stormy', 1_000)
  for (let i = 0; i < limits.refoldsPerMinute; i++) turns.choose([stormy], [])
  expect(turns.choose([stormy], [])).toEqual(new Set())
  const [wanted] = stormy.left
  expect(turns.choose([stormy], [wanted!])).toEqual(new Set([wanted]))
})
