import { setTimeout as pause } from 'node:timers/promises'

import type { Attack } from './attack.ts'

/** An attack that does nothing: the load alone. */
export const calm: Attack = {
  name: 'calm',
  about: 'nobody attacks',
  by: 'stranger',
  needs: 'seconds',
  run: async (_target, { signal, count }) => {
    while (!signal.aborted) {
      await pause(1_000, undefined, { signal }).catch(() => {})
      count('seconds')
    }
  },
}
