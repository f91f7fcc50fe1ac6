import type { SimNetwork } from '../network/network.ts'
import type { SimRandom } from '../world/random.ts'

/** Whom each device stays connected to: by index, the indices it dials. */
export type Topology = readonly (readonly number[])[]

/** A connected network of `size` devices: everybody with everybody, a star, a chain, a ring, or a tree with a few shortcuts. */
export function chooseTopology(random: SimRandom, size: number): Topology {
  const edges = new Set<string>()
  const join = (a: number, b: number): void => {
    if (a !== b) edges.add(`${Math.min(a, b)}-${Math.max(a, b)}`)
  }
  const shape = random.pick(['mesh', 'star', 'chain', 'ring', 'tree'] as const)
  for (let i = 1; i < size; i++) {
    if (shape === 'star') join(0, i)
    else if (shape === 'tree') join(i, random.below(i))
    else if (shape === 'mesh') for (let j = 0; j < i; j++) join(i, j)
    else join(i, i - 1)
  }
  if (shape === 'ring') join(0, size - 1)
  if (shape === 'tree') join(random.below(size), random.below(size))
  const dial: number[][] = Array.from({ length: size }, () => [])
  for (const edge of edges) {
    const ends = edge.split('-').map(Number)
    const [from, to] = random.chance(0.5) ? ends : ends.reverse()
    dial[from!]!.push(to!)
  }
  return dial
}

/** Gives every pair of devices a distance of its own, so that messages by way of others can come first. */
export function spreadDevices(
  network: SimNetwork,
  world: SimRandom,
  names: readonly string[],
): void {
  for (const from of names) {
    for (const to of names) {
      if (from === to) continue
      const random = world.stream(`distance ${from} ${to}`)
      const latencyMs = random.pick([1, 5, 20, 80, 200]) * random.between(0.5, 1.5)
      network.setWeather(from, to, { latencyMs, jitterMs: latencyMs * random.unit(), rate: 1000 })
    }
  }
}
