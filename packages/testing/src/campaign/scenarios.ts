import { ambientFaults, momentaryFaults, type FaultKind } from '../fleet/fault-kinds.ts'
import type { Rhythm } from '../plan/habits.ts'

/** A scenario: the settings from which a campaign makes the plans of its runs. */
export interface CampaignScenario {
  /** A short description of the scenario for people. */
  readonly what: string
  /** The kinds of fault from which each run chooses some. */
  readonly faults: readonly FaultKind[]
  readonly rhythm: Rhythm
  /** The share of runs with hostile members, from 0 to 1. */
  readonly hostile: number
  /** The share of runs in which one device restarts a hundred times or more. */
  readonly restless: number
  /** The minimum amount of work that a run must do. A run that does less work than this minimum breaks the rule `workload`. */
  readonly least: { readonly devices: number; readonly commits: number; readonly faults: number }
}

const rhythm: Rhythm = { workMs: 200, faultMs: 1500, copyMs: 1600 }

/** The minimum amount of work that the run of one seed must do. */
export const leastWork = { devices: 3, commits: 100, faults: 5 } as const

/** All scenarios of campaigns, by name. */
export const scenarios = {
  everything: {
    what: 'a random half of all kinds of fault',
    faults: [...momentaryFaults, ...ambientFaults],
    rhythm,
    hostile: 0.04,
    restless: 0.002,
    least: leastWork,
  },
  calm: {
    what: 'no faults',
    faults: [],
    rhythm,
    hostile: 0,
    restless: 0,
    least: { ...leastWork, faults: 0 },
  },
  storage: {
    what: 'disks that fail, are full and slow; processes that crash, stand still and lose power',
    faults: ['crash', 'power-cut', 'restart', 'pause', 'disk-errors', 'disk-full', 'slow-disk'],
    rhythm,
    hostile: 0,
    restless: 0,
    least: leastWork,
  },
  network: {
    what: 'cuts, resets, changes of path, loss, delay, lost and copied gossip',
    faults: [
      'partition',
      'one-way-cut',
      'reset',
      'path-change',
      'offline',
      'loss',
      'half-open',
      'gossip-loss',
      'gossip-copies',
      'gossip-delay',
      'slow-links',
    ],
    rhythm,
    hostile: 0,
    restless: 0,
    least: leastWork,
  },
  hostile: {
    what: 'members with a valid key that forge, fork, lie and jam, and a random half of all kinds of fault',
    faults: [...momentaryFaults, ...ambientFaults],
    rhythm,
    hostile: 1,
    restless: 0,
    least: leastWork,
  },
  restless: {
    what: 'one device restarts a hundred times or more, and a random half of all kinds of fault',
    faults: [...momentaryFaults, ...ambientFaults],
    rhythm,
    hostile: 0,
    restless: 1,
    least: leastWork,
  },
  restore: {
    what: 'older copies of disks come back, and copies of devices appear',
    faults: ['restore', 'clone', 'crash', 'power-cut'],
    rhythm: { ...rhythm, copyMs: 800 },
    hostile: 0,
    restless: 0,
    least: leastWork,
  },
} as const satisfies Record<string, CampaignScenario>

/** Name of a scenario. */
export type ScenarioName = keyof typeof scenarios
