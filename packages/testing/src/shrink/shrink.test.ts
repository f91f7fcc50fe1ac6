import { perturbations } from '@peerplane/core'
import { expect, test } from 'vitest'

import type { Plan, Step } from '../plan/plan.ts'
import { minimize } from './minimize.ts'
import { shrink, withoutDevice } from './shrink.ts'

const work = (id: number, device: string): Step<string> => ({
  id,
  atMs: 1000 * id,
  work: `w${id}`,
  device,
})

const plan: Plan<string> = {
  seed: 1,
  rareWays: ['short-batch', 'no-push'],
  devices: [
    { name: 'd0', dial: ['d1'], anchor: true },
    { name: 'd1', dial: ['d2'], anchor: false },
    { name: 'd2', dial: [], anchor: false },
    { name: 'd3', dial: ['d1'], anchor: false },
  ],
  conditions: [
    { kind: 'loss', value: 0.01 },
    { kind: 'slow-links', from: 'd0', to: 'd3', latencyMs: 10, rate: 1 },
  ],
  steps: Array.from({ length: 60 }, (_, i) =>
    i === 20
      ? { id: i, atMs: 1000 * i, fault: { kind: 'crash', device: 'd2', downMs: 10 } }
      : work(i, `d${i % 4}`),
  ),
  endMs: 60_000,
}

test('what fails is made as small as it can be', async () => {
  const needed = [3, 20, 33]
  const fails = ({ steps }: Plan<string>): Promise<boolean> =>
    Promise.resolve(needed.every((id) => steps.some((step) => step.id === id)))
  const shrunk = await shrink(plan, { fails, runs: 500 })
  expect(shrunk.plan.steps.map(({ id }) => id)).toEqual(needed)
  expect(shrunk.plan.conditions).toEqual([])
  expect(shrunk.plan.rareWays).toEqual([])
  // Steps 3, 20 and 33 are on three of the four.
  expect(shrunk.plan.devices.map(({ name }) => name)).toEqual(['d1', 'd2', 'd3'])
  expect(shrunk.plan.endMs).toBeLessThan(1000)
  expect(shrunk.runs).toBeLessThan(60)
})

test('of the rare ways those stay without which it passes', async () => {
  const tried: (readonly string[])[] = []
  const fails = ({ rareWays = [] }: Plan<string>): Promise<boolean> => {
    tried.push(rareWays)
    return Promise.resolve(rareWays.includes('no-push') && rareWays.includes('evict-all'))
  }
  const shrunk = await shrink({ ...plan, rareWays: perturbations }, { fails, runs: 500 })
  expect(shrunk.plan.rareWays).toEqual(['no-push', 'evict-all'])
  // Most often none is needed.
  expect(tried.find((ways) => ways.length < perturbations.length)).toEqual([])
})

test('shrinking keeps to its budget', async () => {
  let runs = 0
  const fails = (): Promise<boolean> => Promise.resolve(runs++ % 2 === 0)
  expect((await shrink(plan, { fails, runs: 12 })).runs).toBe(12)
  expect(runs).toBe(12)
})

test('the neighbours of a device that is left out stay connected', () => {
  const { devices, steps, conditions } = withoutDevice(plan, 'd1')
  const reached = new Set(['d0'])
  for (const one of reached) {
    for (const { name, dial } of devices) {
      if (name === one) for (const other of dial) reached.add(other)
      if (dial.includes(one)) reached.add(name)
    }
  }
  expect([...reached].sort()).toEqual(['d0', 'd2', 'd3'])
  expect(steps.some((step) => 'device' in step && step.device === 'd1')).toBe(false)
  expect(conditions).toEqual(plan.conditions)
})

test('no single item can be left out of a minimum', async () => {
  const items = Array.from({ length: 40 }, (_, i) => i)
  // Fails with 7 together with 30 or 31.
  const fails = (kept: readonly number[]): boolean =>
    kept.includes(7) && (kept.includes(30) || kept.includes(31))
  const least = await minimize(items, (kept) => Promise.resolve(fails(kept)))
  expect(fails(least)).toBe(true)
  expect(least).toHaveLength(2)
  expect(await minimize(items, () => Promise.resolve(true))).toEqual([])
})
