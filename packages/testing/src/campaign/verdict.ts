import { limits } from '@peerplane/core'
import type { PlaneStatus } from '@peerplane/runtime'

import type { SimDevice } from '../fleet/device.ts'
import type { FaultCounts } from '../fleet/fault-kinds.ts'
import type { SimProcess } from '../world/process.ts'
import type { Knowledge } from './knowledge.ts'
import type { CampaignScenario } from './scenarios.ts'
import type { Violation, Oracle } from './oracle.ts'

/** One device when all faults are over. */
export interface End {
  readonly device: SimDevice
  readonly oracle: Oracle | undefined
  readonly status: PlaneStatus | undefined
  /** What it shows of the entities that hostile members change, if there are such members. */
  readonly wild?: string
}

/**
 * Whether all devices run, show the same commands, and have nothing left to do. Commits may wait for ever if what they depend on was lost with
 * the only disks that held it, or is kept back by a hostile member.
 */
export function isEqual(ends: readonly End[], knowledge: Knowledge): boolean {
  const first = ends[0]?.oracle
  const wild = ends[0]?.wild
  return ends.every(
    ({ oracle, status, wild: own }) =>
      oracle?.complete === true &&
      status?.pendingCommands === 0 &&
      sameMembers(oracle.visible, first!.visible) &&
      own === wild &&
      (status.waiting === 0 || wild !== undefined || knowledge.hasLost(first!.visible)),
  )
}

/** What must hold when the fleet was given time to become equal. */
export function judgeEnd(ends: readonly End[], knowledge: Knowledge): Violation[] {
  const violations: Violation[] = []
  const report = (rule: Violation['rule'], where: string, what: string): void => {
    violations.push({ rule, where, what })
  }
  if (!isEqual(ends, knowledge))
    report('stuck', 'fleet', `the devices are not equal: ${differences(ends)}`)
  const states = new Set(ends.map(({ oracle }) => oracle?.canonicalState()))
  if (isEqual(ends, knowledge) && states.size > 1) {
    report('convergence', 'fleet', `equal commands give ${states.size} different states`)
  }
  for (const { effect, cause, where } of knowledge.suspicions) {
    if (ends.some(({ oracle }) => oracle?.visible.has(cause))) {
      report('causality', where, `${effect} was visible without its cause ${cause}`)
    }
  }
  for (const { device, oracle } of ends) {
    for (const mark of knowledge.promised(device)) {
      for (const other of ends) {
        if (other.oracle && !other.oracle.visible.has(mark)) {
          report(
            'durability',
            other.device.name,
            `${mark}, acknowledged at ${device.name}, is gone`,
          )
        }
      }
    }
    for (const step of knowledge.steps.values()) {
      if (step.outcome === 'running' && step.process === oracle?.incarnation.process.name) {
        report('stuck', device.name, `${step.mark} was neither acknowledged nor refused`)
      }
    }
  }
  return violations
}

/** What must hold when a process was closed cleanly. */
export function judgeClosing({ name, timers }: SimProcess): Violation[] {
  if (timers === 0) return []
  return [{ rule: 'left behind', where: name, what: `${timers} timers go on after closing` }]
}

/** What must hold at all times; `forks` is the number of sessions that hostile members have forked. */
export function judgeStatus(where: string, status: PlaneStatus, forks = 0): Violation[] {
  const violations: Violation[] = []
  if (status.forks > forks) {
    violations.push({
      rule: 'fork',
      where,
      what: 'an honest device is said to have contradicted itself',
    })
  }
  if (status.waiting > limits.waitingCommits) {
    violations.push({ rule: 'bounded waiting', where, what: `${status.waiting} commits wait` })
  }
  return violations
}

/** What a run must have done to say anything. */
export function judgeWork(
  done: {
    readonly devices: number
    readonly workload: { readonly acknowledged: number }
    readonly faults: FaultCounts
  },
  least: CampaignScenario['least'],
): Violation | undefined {
  const { devices, workload } = done
  const faults = Object.values(done.faults).reduce((sum, count) => sum + count, 0)
  const { acknowledged } = workload
  if (devices >= least.devices && acknowledged >= least.commits && faults >= least.faults) {
    return undefined
  }
  const what =
    `${devices} devices, ${acknowledged} commits and ${faults} faults say nothing; ` +
    `there must be ${least.devices}, ${least.commits} and ${least.faults}`
  return { rule: 'workload', where: 'run', what }
}

function differences(ends: readonly End[]): string {
  const union = new Set(ends.flatMap(({ oracle }) => [...(oracle?.visible ?? [])]))
  const isWild = new Set(ends.map(({ wild }) => wild)).size > 1
  return ends
    .map(({ device, oracle, status, wild }) => {
      if (!oracle?.complete) return `${device.name} shows nothing`
      const lacks = [...union].filter((mark) => !oracle.visible.has(mark))
      const error = status?.lastError
        ? `, last error ${status.lastError.code}: ${status.lastError.message}`
        : ''
      return `${device.name} lacks ${lacks.length} (${lacks.slice(0, 3).join(' ')}), ${status?.waiting} wait, ${status?.pendingCommands} pending${error}${isWild ? `, shows ${wild}` : ''}`
    })
    .join('; ')
}

function sameMembers(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  if (a === b) return true
  if (a.size !== b.size) return false
  for (const member of a) if (!b.has(member)) return false
  return true
}
