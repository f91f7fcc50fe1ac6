import { expect, test } from 'vitest'

import { performSeed, runSeed } from '../campaign/run.ts'
import { Recorder } from './recorder.ts'

test('a run that is recorded is the same run', { timeout: 60_000 }, async () => {
  for (const seed of [1, 2, 3]) {
    const recorder = new Recorder()
    const report = await runSeed(seed, { recorder })
    expect(report).toEqual(await runSeed(seed))
    const recording = recorder.recording()
    expect(JSON.parse(JSON.stringify(recording))).toEqual(recording)
    expect(JSON.stringify(recording).length).toBeLessThan(2_000_000)
  }
})

test('a recording holds what was done and how it ended', { timeout: 60_000 }, async () => {
  const recorder = new Recorder()
  const { plan, report } = await performSeed(4, { recorder })
  const { commands, commits, processes, faults, shown, frames, links } = recorder.recording()
  const faultSteps = plan.steps.flatMap((step) => ('fault' in step ? step.fault.kind : []))
  expect(faults.map(({ fault }) => fault.kind)).toEqual(faultSteps)
  const acknowledged = new Set(
    commands.flatMap(({ step, outcome }) => (outcome === 'acknowledged' ? [step] : [])),
  )
  // Repetitions of a command belong to no step.
  acknowledged.delete(undefined)
  expect(acknowledged.size).toBe(report.workload.acknowledged)
  const names = new Set(processes.map(({ name }) => name))
  const held = new Set(commits.map(({ id }) => id))
  const synced = commands.flatMap(({ commit, durability }) =>
    commit !== undefined && durability === 'synced' ? commit : [],
  )
  expect(synced.filter((id) => !held.has(id))).toEqual([])
  for (const { stored, deps, process } of commits) {
    expect(names).toContain(process)
    for (const each of stored) expect(names).toContain(each.process)
    for (const { session, seq } of deps) {
      expect(commits.some((other) => other.session === session && other.seq === seq)).toBe(true)
    }
  }
  expect(shown.length).toBeGreaterThan(report.workload.acknowledged)
  expect(frames.length).toBeGreaterThan(0)
  expect(links.every(({ fromMs, toMs = Infinity }) => fromMs <= toMs)).toBe(true)
})
