import { randomContract, schedulerContract, seededRandom } from '@peerplane/core/testing'

import { SimClock } from './clock.ts'
import { SimProcess } from './process.ts'
import { SimRandom } from './random.ts'
import { SimWorld } from './world.ts'

let seed = 0

schedulerContract('simulated', () => {
  const world = new SimWorld(++seed)
  const { scheduler } = new SimProcess('a', world, new SimClock(world, 0, 1))
  return {
    scheduler,
    pass: async (ms) => {
      await world.run(world.now + ms)
    },
  }
})

randomContract('simulated', () => new SimRandom(`contract ${++seed}`))
randomContract('seeded', () => seededRandom(++seed))
