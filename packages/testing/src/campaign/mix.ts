import { ambientFaults, chooseFaults, type FaultKind } from '../fleet/fault-kinds.ts'
import {
  planConditions,
  planDevices,
  planMembers,
  planRareWays,
  type MemberPlan,
} from '../plan/generate.ts'
import type { Habits } from '../plan/habits.ts'
import type { CommandWork, Plan, PlannedDevice } from '../plan/plan.ts'
import { SimRandom } from '../world/random.ts'
import type { CampaignScenario } from './scenarios.ts'

/** Devices beyond the least, in one of so many runs each. Most faults need three; what more of them show costs the square of their number. */
const MORE_DEVICES = [1, 2] as const
const MORE_EVERY = 30

/** Faults are so much more frequent where members mean harm. */
const HOSTILE_PACE = 3

/** Where a device is restless, it works for about this long before it ends. Before most ends it writes one commit; all devices together write few others. */
const RESTLESS = { workMs: 800, faultMs: 200 } as const

/** How many sessions a restless device writes. */
const FEWEST_SESSIONS = 100
const MOST_SESSIONS = 220

/** Late devices may join at the end only. */
const LATEST_MS = 20_000

/** What one seed decides before the run begins. */
export interface Mix {
  readonly setting: Omit<Plan<CommandWork>, 'steps' | 'endMs'>
  readonly habits: Habits
  /** The stream of the choices that are made during the run. */
  readonly random: SimRandom
  /** The number of sessions that one device must write; 0 if nothing is restless. */
  readonly sessions: number
}

/** Mixes a run of a scenario. Only what is rare is drawn from a stream of its own: all other runs are as they would be without it. */
export function mix(seed: number, scenario: CampaignScenario): Mix {
  const whole = new SimRandom(`seed ${seed}`)
  const random = whole.stream('plan')
  const more = MORE_DEVICES[random.below(MORE_EVERY)] ?? 0
  const devices = planDevices(random, scenario.least.devices + more)
  const kinds = chooseFaults(random, scenario.faults)
  const conditions = planConditions(random, kinds, devices)
  const rareWays = planRareWays(random)
  const rare = whole.stream('members')
  const isHostile = rare.chance(scenario.hostile)
  const hostility: Partial<MemberPlan> = isHostile ? planMembers(rare, devices) : {}
  const isRestless = rare.chance(scenario.restless)
  const isLate = (isHostile || isRestless) && rare.chance(0.5)
  const { members, harms } = hostility
  const { rhythm } = scenario
  const paced = isHostile ? { ...rhythm, faultMs: rhythm.faultMs / HOSTILE_PACE } : rhythm
  const habits: Habits = isRestless
    ? {
        kinds: restlessKinds(rare, kinds),
        harms,
        restless: rare.pick(devices.slice(0, -1)).name,
        rhythm: { ...rhythm, ...RESTLESS },
      }
    : { kinds, harms, rhythm: paced }
  return {
    setting: {
      seed,
      devices: isLate ? withLate(rare, devices) : devices,
      // On a slow disk, a device cannot restart often.
      conditions: isRestless ? conditions.filter(({ kind }) => kind !== 'slow-disk') : conditions,
      members,
      rareWays,
    },
    habits,
    random,
    sessions: isRestless ? Math.ceil(rare.between(FEWEST_SESSIONS, MOST_SESSIONS)) : 0,
  }
}

/** Clean ends, one other kind at most, and what colours the whole run. */
function restlessKinds(random: SimRandom, kinds: ReadonlySet<FaultKind>): ReadonlySet<FaultKind> {
  const others: readonly FaultKind[] = ['restart', 'restore', 'reset']
  return new Set([
    'restart',
    random.pick(others),
    ...ambientFaults.filter((kind) => kinds.has(kind)),
  ])
}

/** The last device, which did not found the space, joins late. */
function withLate(random: SimRandom, devices: readonly PlannedDevice[]): PlannedDevice[] {
  const joinMs = Math.ceil(random.between(0, 1.5) * LATEST_MS)
  return devices.map((device, i) => (i === devices.length - 1 ? { ...device, joinMs } : device))
}
