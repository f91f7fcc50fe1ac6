import { limits } from '@peerplane/core'

import type { Measured, Phase } from './measured.ts'

/** What an attacked daemon and honest members have to hold. Times are milliseconds, memory is bytes. */
export interface Bounds {
  /** From an honest command to its acknowledgement, p99. */
  readonly acknowledgedP99: number
  /** From an honest command to its being shown at another honest member, p99. */
  readonly shownP99: number
  /** Resident memory of each honest process. */
  readonly memory: number
  /** Open handles of the daemon, beside those before the attack. */
  readonly handles: number
  /** Until a new member that opens its plane sees what is written after that. */
  readonly newcomer: number
  /** The slowest answer over the control socket. */
  readonly control: number
  /** The slowest answer of the page server. */
  readonly page: number
  /** Until all is as before once the attack is over. */
  readonly recovery: number
}

export const bounds: Bounds = {
  acknowledgedP99: 1_000,
  shownP99: 1_000,
  memory: limits.daemonMemoryBytes,
  handles: 400,
  newcomer: 10_000,
  control: 2_000,
  page: 2_000,
  recovery: 30_000,
}

/** How much slower than usual this machine is: 1, or more where honest writes take long by themselves, because others use it. */
export const slowness = ({ acknowledged, shown }: Phase): number =>
  Math.max(1, (2 * Math.max(acknowledged.p99, shown.p99)) / bounds.shownP99)

/** The bounds for a machine that is as slow as it was before the attack. */
export function withTime(allowed: Bounds, before: Phase): Bounds {
  const factor = slowness(before)
  return {
    ...allowed,
    acknowledgedP99: allowed.acknowledgedP99 * factor,
    shownP99: allowed.shownP99 * factor,
    newcomer: allowed.newcomer * factor,
    control: allowed.control * factor,
    page: allowed.page * factor,
  }
}

/** A bound that is not held. */
interface Broken {
  readonly bound: keyof Bounds
  /** With the figure. */
  readonly text: string
}

/** Every bound that `measured` breaks. */
export function broken(measured: Measured, allowed: Bounds): Broken[] {
  return figures(measured)
    .filter(({ bound, value }) => !(value <= allowed[bound]))
    .map(({ bound, value, of }) => ({
      bound,
      text: `${bound} of ${of} is ${shown(value)}, not ${shown(allowed[bound])}`,
    }))
}

interface Figure {
  readonly bound: keyof Bounds
  readonly of: string
  readonly value: number
}

function figures({ before, during, after, recovery }: Measured): Figure[] {
  const figure = (bound: keyof Bounds, of: string, value: number): Figure => ({ bound, of, value })
  const memory = (phase: Phase): Figure[] =>
    Object.entries(phase.processes).map(([name, { memory: bytes }]) =>
      figure('memory', name, bytes),
    )
  return [
    figure('acknowledgedP99', 'an honest write', during.acknowledged.p99),
    figure('shownP99', 'an honest write', during.shown.p99),
    ...memory(during),
    ...memory(after),
    figure('handles', 'the daemon', daemonHandles(during) - daemonHandles(before)),
    figure('newcomer', 'a new member', during.newcomer),
    figure('control', 'the control socket', during.control),
    figure('page', 'the page server', during.page),
    figure('recovery', 'everything', recovery),
  ]
}

const daemonHandles = (phase: Phase): number => phase.processes['daemon']?.handles ?? Number.NaN

const shown = (value: number): string =>
  Number.isFinite(value) ? Math.round(value).toLocaleString('en') : 'never'
