// The process of an attacker: runs attacks together until its parent says stop or is gone, and reports what they did whenever it is asked.
import { seededRandom } from '@peerplane/core/testing'

import type { Target } from './attack.ts'
import { attacks } from './attacks.ts'
import type { Done } from './measured.ts'

const {
  target,
  attacks: wanted,
  seed,
} = JSON.parse(process.argv[2]!) as {
  readonly target: Target
  readonly attacks: readonly { readonly name: string; readonly scale: number }[]
  readonly seed: number
}
/** To get in. */
const PATIENCE_MS = 30_000

const chosen = wanted.map((each) => ({
  ...attacks.find(({ name }) => name === each.name)!,
  scale: each.scale,
}))
const done: Done = Object.fromEntries(chosen.map(({ name }) => [name, {}]))
const stop = new AbortController()

let hasBegun = false

process.on('disconnect', () => process.exit(1))
process.on('message', (message) => {
  if (message === 'count') process.send?.({ done })
  else stop.abort()
})
setTimeout(begin, PATIENCE_MS).unref()
await Promise.all(
  chosen.map((attack, index) => {
    const own = done[attack.name]!
    return attack.run(target, {
      scale: attack.scale,
      random: seededRandom(seed + index),
      source: addressOf(seed + index),
      signal: stop.signal,
      count: (what, by = 1) => {
        own[what] = (own[what] ?? 0) + by
        if (chosen.every(({ name, needs }) => done[name]![needs]! > 0)) begin()
      },
    })
  }),
)
process.send?.({ done }, () => process.exit(0))

/** Linux answers at every address of 127.0.0.0/8, other systems at one. */
function addressOf(number: number): string {
  return process.platform === 'linux' ? `127.0.1.${1 + (number % 250)}` : '127.0.0.1'
}

/** Once every attack is at work, or has had the time for it. */
function begin(): void {
  if (!hasBegun) process.send?.({ begun: true })
  hasBegun = true
}
