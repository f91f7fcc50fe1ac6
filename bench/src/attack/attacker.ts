// The process of an attacker: runs attacks together until its parent says stop or is gone, and reports what they did.
import { seededRandom } from '@peerplane/core/testing'

import type { Target } from './attack.ts'
import { attacks } from './attacks.ts'
import type { Done } from './measured.ts'

const [names, given] = process.argv.slice(2) as [string, string]
const { target, scale, seed, source } = JSON.parse(given) as {
  readonly target: Target
  readonly scale: number
  readonly seed: number
  readonly source: string
}
/** To get in. */
const PATIENCE_MS = 30_000

const chosen = attacks.filter(({ name }) => names.split(',').includes(name))
const done: Done = Object.fromEntries(chosen.map(({ name }) => [name, {}]))
const stop = new AbortController()

let hasBegun = false

process.on('disconnect', () => process.exit(1))
process.once('message', () => stop.abort())
setTimeout(begin, PATIENCE_MS).unref()
await Promise.all(
  chosen.map((attack, index) => {
    const own = done[attack.name]!
    return attack.run(target, {
      scale,
      random: seededRandom(seed + index),
      source,
      signal: stop.signal,
      count: (what, by = 1) => {
        own[what] = (own[what] ?? 0) + by
        if (chosen.every(({ name, needs }) => done[name]![needs]! > 0)) begin()
      },
    })
  }),
)
process.send?.({ done }, () => process.exit(0))

/** Once every attack is at work, or has had the time for it. */
function begin(): void {
  if (!hasBegun) process.send?.({ begun: true })
  hasBegun = true
}
