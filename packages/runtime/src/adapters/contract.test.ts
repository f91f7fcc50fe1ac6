import { randomContract, schedulerContract } from '@peerplane/core/testing'
import { afterEach, vi } from 'vitest'

import { systemRandom } from './random.ts'
import { systemScheduler } from './scheduler.ts'

afterEach(() => {
  vi.useRealTimers()
})

schedulerContract('system', () => {
  vi.useFakeTimers()
  return {
    scheduler: systemScheduler,
    pass: async (ms) => {
      await vi.advanceTimersByTimeAsync(ms)
    },
  }
})

randomContract('system', () => systemRandom)
