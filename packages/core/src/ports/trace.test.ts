import { expect, expectTypeOf, test } from 'vitest'

import { traceEvents, traceTo, type Trace } from './trace.ts'

test('names are a subject and a verb, and every event says in one sentence what has happened', () => {
  for (const [name, { says, fields }] of Object.entries(traceEvents)) {
    expect(name).toMatch(/^[a-z]+\.[a-z]+(-[a-z]+)*$/)
    expect(says).toMatch(/^[A-Z`][^]*\.$/)
    // A log line begins with these.
    for (const field of ['time', 'level', 'event']) expect(Object.keys(fields)).not.toContain(field)
  }
})

test('a listener gets the events that it names, with their fields', () => {
  const seen: unknown[] = []
  const trace: Trace = traceTo({
    'rows.flushed': (fields) => {
      expectTypeOf(fields).toEqualTypeOf<{ readonly rows: number }>()
      seen.push(fields)
    },
  })
  trace?.('rows.flushed', { rows: 3 })
  trace?.('storage.works', {})
  expect(seen).toEqual([{ rows: 3 }])
})

test('where nobody listens no field is made, and the heap stays as it is', () => {
  let made = 0
  const list = (): number[] => {
    made++
    return Array.from({ length: 100 }, () => made)
  }
  const emit = (trace: Trace | undefined): void => {
    for (let i = 0; i < 10_000; i++) trace?.('commits.delivered', { commits: i, list: list() })
  }
  let called = 0
  emit(() => called++)
  expect([called, made]).toEqual([10_000, 10_000])
  emit(undefined)
  const before = process.memoryUsage().heapUsed
  emit(undefined)
  // With 100 numbers in each call it would be eight megabytes.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(500_000)
  expect(made).toBe(10_000)
})
