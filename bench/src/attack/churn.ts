import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import { Child } from './child.ts'
import type { Needs } from './measured.ts'
import { startWorld } from './world.ts'

const MEMBERS = 5
const SAMPLES = 60

/** How much more the daemon may need at the end than at the beginning, by the line through all samples. */
const FLAT = { held: 4 * 1024 * 1024, handles: 10, listeners: 50 } as const

/** The outcome of members joining and leaving. */
export interface Churn {
  readonly seconds: number
  /** How often one of them came and left again. */
  readonly visits: number
  readonly samples: readonly Needs[]
  /** How much more of each is needed at the end, by the line through the samples after the first third. */
  readonly growth: { readonly [Name in keyof typeof FLAT]: number }
  readonly broken: readonly string[]
}

/** Five members connect and leave a daemon over and over, while two others write and read through it. */
export async function churn(seconds: number): Promise<Churn> {
  const world = await startWorld()
  let visits = 0
  const guests: Child[] = []
  try {
    for (let i = 0; i < MEMBERS; i++) {
      const args = ['comeAndGo', join(world.folder, `guest-${i}`), world.target.invitation]
      guests.push(
        new Child('./honest.ts', args, true, (message) => {
          if ('came' in message) visits++
        }),
      )
    }
    const samples: Needs[] = []
    for (let i = 0; i < SAMPLES; i++) {
      await pause((seconds * 1_000) / SAMPLES)
      samples.push((await world.needs())['daemon']!)
    }
    const settled = samples.slice(SAMPLES / 3)
    const growth = {
      held: growthOf(settled.map(({ held }) => held)),
      handles: growthOf(settled.map(({ handles }) => handles)),
      listeners: growthOf(settled.map(({ listeners }) => listeners)),
    }
    const losses = [...world.losses(), ...guests.flatMap(({ ended }) => ended ?? [])]
    return { seconds, visits, samples, growth, broken: [...losses, ...grown(growth, visits)] }
  } finally {
    await Promise.all(guests.map((guest) => guest.end()))
    await world.end()
  }
}

function grown(growth: Churn['growth'], visits: number): string[] {
  const names = Object.keys(FLAT) as (keyof typeof FLAT)[]
  const beyond = names
    .filter((name) => !(growth[name] <= FLAT[name]))
    .map((name) => `${name} grow by ${Math.round(growth[name])}, more than ${FLAT[name]}`)
  return visits > 0 ? beyond : ['nobody came', ...beyond]
}

/** Rise of the line of least squares from the first sample to the last. */
function growthOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const up = values.reduce((sum, value, i) => sum + (i - middle) * (value - mean), 0)
  const across = values.reduce((sum, _, i) => sum + (i - middle) ** 2, 0)
  return (up / across) * (values.length - 1)
}
