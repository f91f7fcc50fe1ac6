import { expect, test } from 'vitest'

import { performSeed } from '../campaign/run.ts'
import { Recorder } from '../record/recorder.ts'
import { reportHtml } from './report.ts'

const recorder = new Recorder()
const { plan } = await performSeed(2, { recorder })
const recording = recorder.recording()

/** Names of elements that are opened and never closed, or closed and never opened. */
function unbalanced(html: string): string[] {
  const open: string[] = []
  const wrong: string[] = []
  const body = html.replace(/<(style|script)>[^]*?<\/\1>/g, '')
  for (const [, end, name, rest] of body.matchAll(/<(\/?)([a-z0-9]+)((?:[^>"]|"[^"]*")*)>/g)) {
    if (['meta', 'input', 'br'].includes(name!) || rest!.endsWith('/')) continue
    if (!end) open.push(name!)
    else if (open.pop() !== name) wrong.push(name!)
  }
  return [...wrong, ...open]
}

test('a report is one page that needs nothing else', () => {
  const html = reportHtml(plan, recording, 'npm run sim -- --seed 2 --report run.html')
  expect(unbalanced(html).filter((name) => !['option', 'p'].includes(name))).toEqual([])
  expect(html).not.toMatch(/(src|href)=|url\(|@import|fetch\(|https?:/)
  expect(html.length).toBeLessThan(1_000_000)
  expect(html).toContain('No rule was broken.')
  expect(html).toContain('npm run sim -- --seed 2 --report run.html')
  expect(html.match(/class="lane"/g)).toHaveLength(recording.devices.length)
  expect(html.match(/class="m cmd acknowledged"/g)!.length).toBeGreaterThan(50)
})

test('a report shows which rule was broken, what was expected and what was seen', () => {
  const violation = {
    rule: 'monotonic reads',
    where: recording.processes[1]!.name,
    what: 'board/a showed ~w1~ and does not <any> more',
    atMs: recording.beginMs + 1000,
  }
  const html = reportHtml(plan, { ...recording, violations: [violation] }, '')
  expect(html).toContain('A rule was broken: monotonic reads')
  expect(html).toContain('What a device has shown does not disappear again.')
  expect(html).toContain('board/a showed step 1 and does not &lt;any&gt; more')
  expect(html).toContain('class="m wrong" style="--t:')
})

test('a commit names the step that made it, also when its command was repeated later', () => {
  const { commands, commits } = recording
  const repeated = commands.filter(({ step, commit }) => step === undefined && commit !== undefined)
  expect(repeated.length).toBeGreaterThan(0)
  const html = reportHtml(plan, recording, '')
  for (const { commit: id, step } of commands) {
    const stored = commits.find((each) => each.id === id)?.stored.length ?? 0
    if (step === undefined || stored === 0) continue
    const marks = [...html.matchAll(new RegExp(`<i class="m (?:own|got)"[^>]*id ${id}"`, 'g'))]
    expect(marks).toHaveLength(stored)
    for (const [mark] of marks) expect(mark).toMatch(/commit [^ ]+, step \d+&#10;/)
  }
})
