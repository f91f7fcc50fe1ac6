import { perturbations, splitEntityKey, type EntityKey, type Perturbation } from '@peerplane/core'

import { campaignCommands } from '../campaign/entities.ts'
import { campaignKeys } from '../campaign/workload.ts'
import { momentaryFaults, type FaultKind } from '../fleet/fault-kinds.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { harmKinds, type Harm, type HarmKind } from '../hostile/harm-kinds.ts'
import { chooseTopology } from '../fleet/topology.ts'
import type { SimRandom } from '../world/random.ts'
import type { Habits } from './habits.ts'
import type { CommandWork, Condition, Fault, PlannedDevice, PlannedMember } from './plan.ts'

/** Devices in a network of a random shape; the first one is an anchor in half of all runs. */
export function planDevices(random: SimRandom, count: number): PlannedDevice[] {
  const names = Array.from({ length: count }, (_, i) => `d${i}`)
  return chooseTopology(random, count).map((dial, i) => ({
    name: names[i]!,
    dial: dial.map((index) => names[index]!),
    anchor: i === 0 && random.chance(0.5),
  }))
}

/** The conditions of a run with these kinds of fault. */
export function planConditions(
  random: SimRandom,
  kinds: ReadonlySet<FaultKind>,
  devices: readonly PlannedDevice[],
): Condition[] {
  const ranges = [
    ['loss', 0.001, 0.01],
    ['half-open', 1000, 20_000],
    ['gossip-loss', 0.1, 0.9],
    ['gossip-copies', 0.1, 0.5],
    ['gossip-delay', 500, 5000],
  ] as const
  const conditions: Condition[] = []
  for (const [kind, low, high] of ranges) {
    if (kinds.has(kind)) conditions.push({ kind, value: neat(random.between(low, high)) })
  }
  for (const { name: device } of devices) {
    if (kinds.has('slow-disk') && random.chance(0.5)) {
      const flushMs = neat(random.between(20, random.pick([300, 2000])))
      conditions.push({ kind: 'slow-disk', device, flushMs, readMs: neat(random.between(0.1, 20)) })
    }
    if (kinds.has('clock-skew') && random.chance(0.7)) {
      const byMs = neat(random.between(-3_600_000, 3_600_000))
      conditions.push({ kind: 'clock-skew', device, byMs })
    }
    for (const { name: to } of kinds.has('slow-links') ? devices : []) {
      if (device === to || !random.chance(0.4)) continue
      // Six frames of a handshake have to come through within its time, jitter included.
      const latencyMs = neat(random.between(100, 600))
      const rate = neat(random.between(2, 50))
      conditions.push({ kind: 'slow-links', from: device, to, latencyMs, rate })
    }
  }
  return conditions
}

/** A random half of all rare ways of the product, like the kinds of fault. */
export const planRareWays = (random: SimRandom): Perturbation[] =>
  random.shuffle(perturbations).slice(0, Math.ceil(perturbations.length / 2))

/** Hostile members, and what they do. */
export interface MemberPlan {
  readonly members: readonly PlannedMember[]
  readonly harms: readonly HarmKind[]
}

/** One or two hostile members, each next to some of the devices, and a random half of what they may do. */
export function planMembers(random: SimRandom, devices: readonly PlannedDevice[]): MemberPlan {
  const names = devices.map(({ name }) => name)
  const members = Array.from({ length: random.pick([1, 1, 2]) }, (_, i) => ({
    name: `m${i}`,
    dial: random.shuffle(names).slice(0, 1 + random.below(names.length)),
  }))
  const harms = random.shuffle(harmKinds).slice(0, Math.ceil(harmKinds.length / 2))
  return { members, harms }
}

/** In every other case, what a hostile member does next, if there is one. */
export function planHarm(
  random: SimRandom,
  harms: readonly HarmKind[],
  { members }: Fleet,
): Harm | undefined {
  if (members.length === 0 || harms.length === 0 || random.chance(0.5)) return undefined
  const member = random.pick(members).name
  return { kind: random.pick(harms), member, roll: random.below(1_000_000) }
}

/** A random command, or two at once. */
export function planCommand(random: SimRandom): CommandWork {
  const keys = random.chance(0.2)
    ? random.shuffle(campaignKeys).slice(0, 2)
    : [random.pick(campaignKeys)]
  return {
    on: keys.map((entity: EntityKey) => ({
      entity,
      command: random.pick<string>(
        campaignCommands[splitEntityKey(entity).type as keyof typeof campaignCommands],
      ),
      key: random.pick(['x', 'y', 'z']),
      by: 1 + random.below(9),
    })),
    durability: random.pick(['memory', 'local', 'synced', 'synced'] as const),
    ...(random.chance(0.1) ? { repeatMs: neat(random.exponential(5000)) } : {}),
  }
}

/** A random fault among `kinds` that can happen to the fleet as it is; `copies` are those made so far, by device. */
export function planFault(
  random: SimRandom,
  { kinds, restless }: Pick<Habits, 'kinds' | 'restless'>,
  fleet: Fleet,
  copies: readonly { readonly id: number; readonly device: string }[],
): Fault | undefined {
  const candidates = momentaryFaults.filter((kind) => kinds.has(kind))
  const open = fleet.open()
  if (candidates.length === 0 || open.length === 0) return undefined
  const kind = random.pick(candidates)
  const some = random.pick(open).device.name
  const isRestless = open.some((each) => each.device.name === restless) && random.chance(0.9)
  const device = isRestless ? restless! : some
  const downMs = (): number => neat(random.between(10, isRestless ? 40 : 5000))
  const names = random.shuffle(fleet.devices.map(({ name }) => name))
  const lasting = (longestMs: number): number => neat(random.between(0.05, 1) * longestMs)
  switch (kind) {
    case 'crash':
    case 'power-cut':
    case 'restart':
      return { kind, device, downMs: downMs() }
    case 'restore': {
      const own = copies.filter((copy) => copy.device === device).slice(-3)
      if (own.length === 0) return undefined
      const copy = random.pick(own).id
      return { kind, device, copy, downMs: downMs() }
    }
    case 'clone':
      // A clone is one more device for the rest of the run: expensive, and rarely what the run is about.
      if (!fleet.canClone() || !random.chance(0.2)) return undefined
      return { kind, device, dial: names.slice(0, 2) }
    case 'partition': {
      const size = 1 + random.below(names.length - 1)
      const [left, right] = [names.slice(0, size), names.slice(size)]
      const ways = left.flatMap((a) => right.flatMap((b) => [[a, b] as const, [b, a] as const]))
      return { kind, ways, lastsMs: lasting(20_000) }
    }
    case 'one-way-cut':
      return { kind, ways: [[names[0]!, names[1]!]], lastsMs: lasting(20_000) }
    case 'reset': {
      const connections = fleet.network.connections()
      return connections.length > 0 ? { kind, between: random.pick(connections) } : undefined
    }
    case 'path-change': {
      const links = fleet.network.links()
      if (links.length === 0) return undefined
      const { from, to } = random.pick(links)
      const between = [from.device, to.device] as const
      return { kind, between, path: random.pick(['webrtc', 'relay', 'direct'] as const) }
    }
    case 'offline':
      return { kind, device, lastsMs: lasting(10_000) }
    case 'pause':
      return { kind, device, lastsMs: neat(random.between(200, 10_000)) }
    case 'clock-jump':
      return { kind, device, byMs: random.pick([-1, 1]) * random.pick([1e3, 6e4, 3.6e6, 1e8]) }
    case 'disk-errors': {
      const probability = neat(random.between(0.05, 0.5))
      return { kind, device, probability, lastsMs: lasting(5000) }
    }
    case 'disk-full':
      return { kind, device, lastsMs: lasting(5000) }
  }
}

/** Short in JSON and for people; small numbers keep three digits. */
const neat = (value: number): number =>
  Math.abs(value) >= 10 ? Math.round(value) : Number(value.toPrecision(3))
