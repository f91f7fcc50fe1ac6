import { limits, traceEvents, type Scheduler } from '@peerplane/core'
import { expect, test } from 'vitest'

import type { LogFormat } from './line.ts'
import { createLog, type DaemonLog, type LogLevel } from './log.ts'

const DEVICE = `3fa85f64${'0'.repeat(56)}`
const PEER = '12D3KooWGRUVh7vNmTAqTvbXmQhK4nzw8v6Y2d9bXyZabcd1234'

/** A log whose second ends when the test says so. */
function open(
  level: LogLevel,
  format: LogFormat = 'text',
): { readonly log: DaemonLog; readonly lines: string[]; readonly second: () => void } {
  const lines: string[] = []
  let due: (() => void) | undefined
  const scheduler: Scheduler = {
    after: (_, task) => {
      due = task
      return () => (due = undefined)
    },
  }
  const clock = { now: () => Date.UTC(2026, 10, 26, 9, 45, 7, 123) }
  const write = (line: string): void => void lines.push(line)
  return {
    log: createLog({ level, format, clock, scheduler, write }),
    lines,
    second: () => due?.(),
  }
}

test('a line for people has time, level, event and fields, with short ids', () => {
  const { log, lines } = open('info')
  log.trace?.('link.opened', {
    link: 'x',
    device: DEVICE,
    peer: PEER,
    path: 'direct',
    anchor: true,
  })
  expect(lines).toEqual([
    '2026-11-26T09:45:07.123Z info  link.opened link=x device=3fa85f64 peer=abcd1234 path=direct anchor=true\n',
  ])
})

test('a JSON line is one object, with whole ids', () => {
  const { log, lines } = open('debug', 'json')
  log.trace?.('command.settled', { call: 1, commit: undefined, ms: 3 })
  log.trace?.('device.met', { device: DEVICE })
  const time = '2026-11-26T09:45:07.123Z'
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { time, level: 'debug', event: 'command.settled', call: 1, ms: 3 },
    { time, level: 'info', event: 'device.met', device: DEVICE },
  ])
})

test('each level holds those before it; off makes nothing at all', () => {
  const counts = (['off', 'error', 'warn', 'info', 'debug'] as const).map((level) => {
    const { log, lines } = open(level)
    log.trace?.('commits.lost', { commits: 1, code: 'store-full' })
    log.trace?.('rows.failed', { rows: 1, code: 'store-full' })
    log.trace?.('storage.works', {})
    log.trace?.('rows.flushed', { rows: 1 })
    return lines.length
  })
  expect(counts).toEqual([0, 1, 2, 3, 4])
  expect(open('off').log.trace).toBeUndefined()
})

test('no log line contains text that a person typed, for any event', () => {
  for (const format of ['text', 'json'] as const) {
    const { log, lines, second } = open('debug', format)
    for (const [name, { fields }] of Object.entries(traceEvents)) {
      const given = Object.fromEntries(
        Object.entries(fields).map(([field, kind]) => [field, kind === 'data' ? 'TYPED' : 'x']),
      )
      ;(log.trace as (name: string, fields: object) => void)(name, given)
      second()
    }
    expect(lines).toHaveLength(Object.keys(traceEvents).length)
    expect(lines.join('')).not.toContain('TYPED')
  }
})

test('text from a stranger cannot end a log line, move the cursor or make a log line long', () => {
  const reason = `no\nlevel=error\u001B[2J\u009B1m\u202E${'x'.repeat(10_000)}`
  for (const format of ['text', 'json'] as const) {
    const { log, lines } = open('debug', format)
    log.trace?.('handshake.failed', { peer: PEER, code: 'handshake-failed', reason })
    expect(lines[0]!.length).toBeLessThan(500)
    // oxlint-disable-next-line no-control-regex -- these are what may not be there
    expect(lines[0]!.slice(0, -1)).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u202E]/)
  }
})

test('a bounded number of lines is logged in a second, and the rest are counted', () => {
  const { log, lines, second } = open('info')
  const storm = (): void => {
    for (let i = 0; i < limits.logLines + 7; i++) log.trace?.('device.met', { device: DEVICE })
  }
  storm()
  expect(lines).toHaveLength(limits.logLines)
  second()
  expect(lines.at(-1)).toMatch(/ warn {2}log.shortened lines=7\n$/)
  lines.length = 0
  storm()
  log.stop()
  expect(lines).toHaveLength(limits.logLines + 1)
})
