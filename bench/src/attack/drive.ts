import { setTimeout as pause } from 'node:timers/promises'

import type { Attack } from './attack.ts'
import { Attackers } from './attackers.ts'
import { bounds, withTime } from './bounds.ts'
import { Doors } from './doors.ts'
import type { Measured, Phase } from './measured.ts'
import type { World } from './world.ts'

/** How long and how hard. */
export interface Extent {
  /** Seconds of each phase. */
  readonly before: number
  readonly during: number
  readonly after: number
  readonly scale: number
  readonly seed: number
}

/** Runs an attack on a world and measures before, during and after. */
export async function drive(world: World, { name }: Attack, extent: Extent): Promise<Measured> {
  const { scale, seed } = extent
  const doors = new Doors(world.target)
  try {
    const watch = new Watch(world, doors)
    await watch.begin()
    const before = await watch.phase(extent.before, false)
    const attackers = await Attackers.start(world.target, [{ name, scale }], seed)
    await watch.begin()
    const during = await watch.phase(extent.during, true)
    const done = await attackers.stop()
    const over = world.now()
    const recovery = await recover(world, doors, before, over)
    await watch.begin()
    const after = await watch.phase(extent.after, false)
    // Measured once more: what was pending has arrived by now, or never will.
    return { before, during: { ...during, ...watch.again(during) }, after, recovery, done }
  } finally {
    doors.stop()
  }
}

/** Measures phases one after another. */
class Watch {
  readonly #world: World
  readonly #doors: Doors
  readonly #spans = new Map<Phase, { from: number; to: number }>()
  #from = 0

  constructor(world: World, doors: Doors) {
    this.#world = world
    this.#doors = doors
  }

  /** Forgets what has been until now. */
  async begin(): Promise<void> {
    await this.#world.needs()
    this.#doors.take()
    this.#from = this.#world.now()
  }

  async phase(seconds: number, visited: boolean): Promise<Phase> {
    const [newcomer] = await Promise.all([
      visited ? this.#world.visit() : Number.NaN,
      pause(seconds * 1_000),
    ])
    const to = this.#world.now()
    const processes = await this.#world.needs()
    const span = { from: this.#from, to }
    const phase: Phase = {
      seconds: (to - this.#from) / 1_000,
      processes,
      newcomer,
      ...this.#doors.take(),
      ...this.#world.ledger.between(span.from, span.to, to),
    }
    this.#spans.set(phase, span)
    return phase
  }

  /** The times of the writes of a phase, as far as they are known now. */
  again(phase: Phase): Pick<Phase, 'acknowledged' | 'shown'> {
    const { from, to } = this.#spans.get(phase)!
    return this.#world.ledger.between(from, to, this.#world.now())
  }
}

const LOOK_MS = 1_000
const MORE_HANDLES = 20
/** In use after collecting garbage, beside that before the attack: what was stored for good in this time stays. */
const MORE_HELD_BYTES = 64 * 1024 * 1024

/** Milliseconds until latency, handles, memory and doors are as before. */
async function recover(world: World, doors: Doors, before: Phase, since: number): Promise<number> {
  const allowed = withTime(bounds, before)
  while (world.now() - since < bounds.recovery) {
    const from = world.now()
    await world.needs()
    doors.take()
    await pause(LOOK_MS)
    const { control, page } = doors.take()
    const needs = await world.needs()
    const to = world.now()
    const { shown } = world.ledger.between(from, to - LOOK_MS / 2, to)
    const isBack = Object.entries(needs).every(([name, { handles, held }]) => {
      const old = before.processes[name]!
      return handles <= old.handles + MORE_HANDLES && held <= old.held + MORE_HELD_BYTES
    })
    if (
      isBack &&
      shown.max < allowed.shownP99 &&
      control < allowed.control &&
      page < allowed.page
    ) {
      return from - since
    }
  }
  return Number.POSITIVE_INFINITY
}
