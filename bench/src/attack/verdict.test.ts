import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import { attacks } from './attacks.ts'
import { bounds } from './bounds.ts'
import { calm } from './calm.ts'
import { known, type Known } from './known.ts'
import { timesOf, type Measured, type Needs, type Phase } from './measured.ts'
import { judge } from './verdict.ts'

const needs: Needs = { memory: 1e8, handles: 40, blocked: 50, held: 4e7, listeners: 300 }
const phase: Phase = {
  seconds: 10,
  acknowledged: timesOf([10, 20]),
  shown: timesOf([20, 40]),
  processes: { daemon: needs, reader: needs },
  control: 30,
  page: 30,
  newcomer: 300,
}
const good: Measured = {
  before: phase,
  during: phase,
  after: phase,
  recovery: 0,
  done: { calm: { seconds: 10 } },
}
const during = (change: Partial<Phase>): Measured => ({ ...good, during: { ...phase, ...change } })
const daemon = (change: Partial<Needs>): Measured =>
  during({ processes: { ...phase.processes, daemon: { ...needs, ...change } } })
const knownFor = (...bounds: Known['bounds']): Known => ({ because: 'it is a test', bounds })

test('what is within the bounds holds', () => {
  expect(judge(calm, good, [])).toEqual({ result: 'held', broken: [] })
})

test.for([
  ['acknowledgedP99', during({ acknowledged: timesOf([1_001]) })],
  ['shownP99', during({ shown: timesOf([1_001]) })],
  ['shownP99', during({ shown: timesOf([]) })],
  ['newcomer', during({ newcomer: Number.POSITIVE_INFINITY })],
  ['control', during({ control: Number.POSITIVE_INFINITY })],
  ['page', during({ page: 2_001 })],
  ['memory', daemon({ memory: bounds.memory + 1 })],
  ['handles', daemon({ handles: 1_000 })],
  ['recovery', { ...good, recovery: Number.POSITIVE_INFINITY }],
] as const)('%s beyond its bound is seen', ([name, measured]) => {
  const { result, broken } = judge(calm, measured, [])
  expect(result).toBe('broken')
  expect(broken).toEqual([expect.stringMatching(new RegExp(`^${name} of`))])
})

test('a process that ends, a command that fails, and an attack that did not take place are seen', () => {
  expect(judge(calm, good, ['the daemon ended'])).toMatchObject({ result: 'broken' })
  expect(judge(calm, { ...good, done: { calm: {} } }, [])).toMatchObject({ result: 'broken' })
})

test('only what is known not to hold may be broken, and it is noticed when it holds', () => {
  const slow = during({ shown: timesOf([3_000]) })
  expect(judge(calm, slow, [], knownFor('shownP99'))).toMatchObject({ result: 'known' })
  expect(judge(calm, slow, [], knownFor('page', 'newcomer'))).toMatchObject({ result: 'broken' })
  expect(judge(calm, good, [], knownFor('shownP99'))).toMatchObject({ result: 'better' })
  expect(judge(calm, slow, ['the daemon ended'], knownFor('shownP99'))).toMatchObject({
    result: 'broken',
  })
})

test('the page about attacks says what is known not to hold, and why', () => {
  const page = readFileSync(new URL('../../../docs/attacks.md', import.meta.url), 'utf8')
  expect(page.includes('lists no attack.')).toBe(Object.keys(known).length === 0)
  for (const [name, { because }] of Object.entries(known)) {
    expect(page).toContain(`| ${name} | ${because} |`)
  }
})

test('whatever is known not to hold costs time, and neither memory nor handles', () => {
  expect(Object.keys(known).filter((name) => !attacks.some((each) => each.name === name))).toEqual(
    [],
  )
  for (const { bounds: broken } of Object.values(known)) {
    expect(broken).not.toContain('memory')
    expect(broken).not.toContain('handles')
  }
})

test('where honest writes are slow without any attack, times are judged beside that', () => {
  const busy = { ...phase, shown: timesOf([2_000]) }
  const slow = during({ shown: timesOf([3_000]) })
  expect(judge(calm, slow, [])).toMatchObject({ result: 'broken' })
  expect(judge(calm, { ...slow, before: busy }, [])).toMatchObject({ result: 'held' })
})
