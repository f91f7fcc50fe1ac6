import { createSpace, mac, type DeviceId, type Space } from '@peerplane/core'
import { selectorOf, Served } from '@peerplane/sync'

import { readArguments } from './arguments.ts'
import { mulberry } from './mulberry.ts'

const PEER = '12D3KooWQAqQX2YQexMmQapfgrFV88PTtqkyiRo1LjpZoVbkjQYR'
const FRAMES = 20_000

/**
 * What the first frame of a handshake costs a daemon that serves many spaces: finding the space, and computing the MAC. In µs of CPU time. For
 * comparison: one MAC for each space, which a frame without a selector would need.
 */
export async function benchSpaces(args: readonly string[]): Promise<number> {
  await readArguments('usage: npm run bench -- spaces', { args: [...args], options: {} })
  const few = measure(1)
  const many = measure(1_000)
  console.log(JSON.stringify({ few, many }))
  return many.find <= 5 * few.find + 1 ? 0 : 1
}

function measure(count: number) {
  const next = mulberry(count)
  const random = {
    bytes: (length: number) => Uint8Array.from({ length }, () => Math.floor(next() * 256)),
  }
  const all = Array.from({ length: count }, (_, n): { space: Space } => ({
    space: createSpace(n.toString(16).padStart(64, '0') as DeviceId, 'member', random),
  }))
  let served = new Served<{ readonly space: Space }>(PEER)
  const table = microseconds(1, () => {
    served = new Served(PEER, ...all)
  })
  const selectors = all.map(({ space }) => selectorOf(space, PEER))
  const context = random.bytes(32)
  const proofOf = ({ secret }: Space): Uint8Array => mac(secret, 'handshake', context)
  return {
    spaces: count,
    table,
    find: microseconds(FRAMES, (n) => served.find(selectors[n % count]!)),
    stranger: microseconds(FRAMES, () => served.find(context.subarray(0, 16))),
    mac: microseconds(FRAMES, (n) => proofOf(all[n % count]!.space)),
    macOfEach: microseconds(20, () => all.forEach(({ space }) => proofOf(space))),
  }
}

/** CPU time of one of `times` calls. */
function microseconds(times: number, task: (n: number) => unknown): number {
  const before = process.cpuUsage()
  for (let n = 0; n < times; n++) task(n)
  const { user, system } = process.cpuUsage(before)
  return Math.round((100 * (user + system)) / times) / 100
}
