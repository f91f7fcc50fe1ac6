import type { Ports } from '../ports.ts'
import { systemClock } from './clock.ts'
import { systemRandom } from './random.ts'
import { systemScheduler } from './scheduler.ts'
import { webCrypto } from './web-crypto.ts'

/** Returns the ports that every platform supplies: clock, randomness, timers and WebCrypto. */
export const systemPlatform = (): Pick<Ports, 'clock' | 'random' | 'scheduler' | 'crypto'> => ({
  clock: systemClock,
  random: systemRandom,
  scheduler: systemScheduler,
  crypto: webCrypto(),
})
