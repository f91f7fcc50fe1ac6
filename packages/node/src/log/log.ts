import {
  limits,
  traceEvents,
  traceLevels,
  type Clock,
  type Scheduler,
  type Trace,
} from '@peerplane/core'

import { logLine, type LogFormat } from './line.ts'

/** What is logged: events of this level and of those before it, or none. */
export const logLevels = ['off', ...traceLevels] as const

export type LogLevel = (typeof logLevels)[number]

/** What a log works with. */
export interface DaemonLogOptions {
  readonly level: LogLevel
  readonly format: LogFormat
  readonly clock: Clock
  readonly scheduler: Scheduler
  /** Takes one line, with its end. */
  readonly write: (line: string) => void
}

/** The log of a daemon. */
export interface DaemonLog {
  /** `undefined` where nothing is logged: then nothing is even made. */
  readonly trace: Trace | undefined
  /** Writes what is left to say. */
  stop(): void
}

const WINDOW_MS = 1_000

/** Writes a line for each event, at most `limits.logLines` a second; of the others it says how many there were. */
export function createLog({ level, format, clock, scheduler, write }: DaemonLogOptions): DaemonLog {
  if (level === 'off') return { trace: undefined, stop: () => undefined }
  const least = traceLevels.indexOf(level)
  let lines = 0
  let leftOut = 0
  let cancel: (() => void) | undefined

  const endWindow = (): void => {
    cancel?.()
    cancel = undefined
    lines = 0
    if (leftOut === 0) return
    const left = leftOut
    leftOut = 0
    write(`${logLine(format, clock.now(), 'log.shortened', { lines: left })}\n`)
  }
  const trace: Trace = (name, fields) => {
    if (traceLevels.indexOf(traceEvents[name].level) > least) return
    cancel ??= scheduler.after(WINDOW_MS, endWindow)
    if (lines >= limits.logLines) leftOut++
    else {
      lines++
      write(`${logLine(format, clock.now(), name, fields)}\n`)
    }
  }
  return { trace, stop: endWindow }
}
