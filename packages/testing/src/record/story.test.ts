import { expect, test } from 'vitest'

import { runPlan, type CommandPlan } from '../campaign/run.ts'
import { Recorder } from './recorder.ts'
import { tellRun } from './story.ts'

const command = (entity: string, name: string) => ({
  on: [{ entity, command: name, key: 'x', by: 1 }],
  durability: 'synced' as const,
})

const plan: CommandPlan = {
  seed: 5,
  devices: [
    { name: 'd0', dial: ['d1'], anchor: true },
    { name: 'd1', dial: [], anchor: false },
  ],
  conditions: [{ kind: 'slow-disk', device: 'd1', flushMs: 40, readMs: 1 }],
  steps: [
    { id: 4, atMs: 100, work: command('tally/a', 'add'), device: 'd0' },
    { id: 7, atMs: 2000, work: command('board/b', 'tag'), device: 'd1' },
    { id: 9, atMs: 3000, fault: { kind: 'power-cut', device: 'd1', downMs: 500 } },
    { id: 12, atMs: 5000, work: command('tally/a', 'add'), device: 'd1' },
  ],
  endMs: 6000,
}

test('a story names people, numbers the steps and draws the commits', async () => {
  const recorder = new Recorder()
  await runPlan(plan, { recorder })
  const story = tellRun(plan, recorder.recording())
  expect(story).toContain('Ada (d0, an anchor) founded the space and dials Bob.')
  expect(story).toContain("All the time: a flush of Bob's disk takes about 0.040 s.")
  expect(story).toMatch(/1\. +0\.100 {2}Ada: add .*on tally\/a: acknowledged as synced/)
  expect(story).toMatch(/Bob shows step 1\./)
  expect(story).toMatch(/3\. +3\.000 {2}Bob loses power, and starts again after 0\.500 s\./)
  expect(story).toMatch(/Bob \(start 2\) is open\./)
  // Bob's first commit follows Ada's; his second session follows both.
  expect(story).toMatch(/├─+B1 +after A1/)
  expect(story).toMatch(/├─+┼─+B'1 +after (A1, B1|B1, A1)/)
  expect(story).toContain('No rule is broken.')
})

test('a story ends with the rule that is broken', async () => {
  const recorder = new Recorder()
  await runPlan(plan, { recorder })
  const atMs = recorder.recording().beginMs + 2500
  const what = '~w7~ is visible without its cause ~w4~'
  const violations = [{ rule: 'causality', where: 'd0.1', what, atMs }]
  const story = tellRun(plan, { ...recorder.recording(), violations })
  expect(story).toMatch(/✗ +2\.500 {2}Ada: step 2 is visible without its cause step 1/)
  expect(story).toContain('Broken rule: causality. Nobody sees an effect without its cause.')
  expect(story).not.toContain('loses power')
})
