import { networkContract } from '@peerplane/core/testing'

import { SimClock } from '../world/clock.ts'
import { SimProcess } from '../world/process.ts'
import { SimWorld } from '../world/world.ts'
import { SimNetwork } from './network.ts'
import { SimNode } from './node.ts'

let seed = 0

networkContract('simulated', async () => {
  const world = new SimWorld(++seed)
  const network = new SimNetwork(world)
  const peer = (name: string, dial: string[]): SimNode =>
    new SimNode(network, new SimProcess(name, world, new SimClock(world, 0, 1)), name, dial)
  const [a, b] = [peer('a', ['b']), peer('b', [])]
  let stopped = false
  const running = (async () => {
    while (!stopped) await world.run(world.now + 10)
  })()
  return {
    a,
    b,
    // They go on trying by themselves.
    connect: () => undefined,
    upgrade: () => a.upgrade(b, 'webrtc'),
    close: async () => {
      stopped = true
      await running
    },
  }
})
