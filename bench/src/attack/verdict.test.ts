import { expect, test } from 'vitest'

import type { Attack } from './attack.ts'
import { bounds } from './bounds.ts'
import { calm } from './calm.ts'
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
const known = (allowed: NonNullable<Attack['known']>['bounds']): Attack => ({
  ...calm,
  known: { because: 'it is a test', bounds: allowed },
})

test('what is within the bounds holds', () => {
  expect(judge([calm], good, [])).toEqual({ result: 'held', broken: [] })
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
  const { result, broken } = judge([calm], measured, [])
  expect(result).toBe('broken')
  expect(broken).toEqual([expect.stringMatching(new RegExp(`^${name} of`))])
})

test('a process that ends, a command that fails, and an attack that did not take place are seen', () => {
  expect(judge([calm], good, ['the daemon ended'])).toMatchObject({ result: 'broken' })
  expect(judge([calm], { ...good, done: { calm: {} } }, [])).toMatchObject({ result: 'broken' })
})

test('what is known not to hold may not get worse, and is noticed when it holds', () => {
  const slow = during({ shown: timesOf([3_000]) })
  expect(judge([known({ shownP99: 5_000 })], slow, [])).toMatchObject({ result: 'known' })
  expect(judge([known({ shownP99: 2_000 })], slow, [])).toMatchObject({ result: 'broken' })
  expect(judge([known({ shownP99: 5_000 })], good, [])).toMatchObject({ result: 'better' })
  expect(judge([calm, known({ page: 5_000 })], slow, [])).toMatchObject({ result: 'broken' })
})

test('where honest writes are slow without any attack, times are judged beside that', () => {
  const busy = { ...phase, shown: timesOf([2_000]) }
  const slow = during({ shown: timesOf([3_000]) })
  expect(judge([calm], slow, [])).toMatchObject({ result: 'broken' })
  expect(judge([calm], { ...slow, before: busy }, [])).toMatchObject({ result: 'held' })
})
