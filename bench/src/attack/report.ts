import type { Attack } from './attack.ts'
import type { Churn } from './churn.ts'
import type { Measured, Phase } from './measured.ts'
import type { Verdict } from './verdict.ts'

const MIB = 1024 * 1024

type Column = readonly [name: string, phase: Phase]

/** A table for people: the load alone, then before, during and after the attack. */
export function table(measured: Measured, calm: Measured | undefined): string {
  const columns: Column[] = [
    ...(calm ? [['alone', calm.during] as const] : []),
    ['before', measured.before],
    ['during', measured.during],
    ['after', measured.after],
  ]
  const rows = lines.map(([name, show]) => [name, ...columns.map(([, phase]) => show(phase))])
  const head = ['', ...columns.map(([name]) => name)]
  const all = [head, ...rows]
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]!.length)))
  return all
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))),
    )
    .map((row) => `  ${row.join('  ')}`)
    .join('\n')
}

/** The outcome of each attack, by name. */
type Results = Readonly<Record<string, Verdict['result']>>

/** A line for each result that there is, with the names of the attacks. */
export function summary(results: Results): string {
  const names = (result: Verdict['result']): string[] =>
    Object.keys(results).filter((name) => results[name] === result)
  const meanings: Readonly<Record<Verdict['result'], string>> = {
    held: 'held',
    known: 'not held by the protocol of today, as listed',
    better: 'held, although listed as not held',
    broken: 'BROKEN',
  }
  return (Object.keys(meanings) as Verdict['result'][])
    .filter((result) => names(result).length > 0)
    .map((result) => `${meanings[result]}: ${names(result).join(', ')}`)
    .join('\n')
}

/** One line for machines. */
export function jsonLine(attack: Attack, measured: Measured, verdict: Verdict): string {
  return JSON.stringify({ attack: attack.name, ...verdict, ...measured }, (_, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? null : value,
  )
}

const whole = (value: number): string =>
  Number.isFinite(value) ? Math.round(value).toLocaleString('en') : '–'

const of =
  (process: string) =>
  (name: keyof Phase['processes'][string], unit: number) =>
  (phase: Phase): string =>
    whole((phase.processes[process]?.[name] ?? Number.NaN) / unit)

const lines: readonly (readonly [string, (phase: Phase) => string])[] = [
  ['seconds', ({ seconds }) => whole(seconds)],
  ['honest writes', ({ shown }) => whole(shown.count)],
  ['acknowledged, p50 ms', ({ acknowledged }) => whole(acknowledged.p50)],
  ['acknowledged, p99 ms', ({ acknowledged }) => whole(acknowledged.p99)],
  ['shown to another, p50 ms', ({ shown }) => whole(shown.p50)],
  ['shown to another, p99 ms', ({ shown }) => whole(shown.p99)],
  ['shown to another, max ms', ({ shown }) => whole(shown.max)],
  ['new member is in, ms', ({ newcomer }) => whole(newcomer)],
  ['control socket, max ms', ({ control }) => whole(control)],
  ['page, max ms', ({ page }) => whole(page)],
  ...['daemon', 'writer', 'reader'].flatMap((name) => [
    [`${name}, memory MiB`, of(name)('memory', MIB)] as const,
    [`${name}, in use MiB`, of(name)('held', MIB)] as const,
    [`${name}, handles`, of(name)('handles', 1)] as const,
    [`${name}, blocked ms`, of(name)('blocked', 1)] as const,
  ]),
]

/** What the daemon needed while members came and went. */
export function churnTable({ seconds, visits, samples, growth }: Churn): string {
  const every = Math.max(1, Math.floor(samples.length / 12))
  const rows = samples
    .map(({ held, memory, handles, listeners }, i) => [
      whole(((i + 1) * seconds) / samples.length),
      (held / MIB).toFixed(1),
      whole(memory / MIB),
      whole(handles),
      whole(listeners),
    ])
    .filter((_, i) => (i + 1) % every === 0)
  const head = ['seconds', 'in use MiB', 'memory MiB', 'handles', 'listeners']
  const shown = [head, ...rows].map((row) => row.map((cell) => cell.padStart(10)).join('  '))
  const line = `held ${(growth.held / MIB).toFixed(2)} MiB, handles ${growth.handles.toFixed(1)}, listeners ${growth.listeners.toFixed(1)}`
  return `${visits} visits in ${seconds} s\n${shown.join('\n')}\ngrowth after the first third: ${line}`
}
