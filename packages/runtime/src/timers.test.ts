import { expect, test, vi } from 'vitest'

import { systemScheduler } from './index.ts'
import { createTimers } from './timers.ts'

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

test('runs what was asked for, and not what was cancelled', async () => {
  const timers = createTimers(systemScheduler)
  const [kept, cancelled] = [vi.fn<() => void>(), vi.fn<() => void>()]
  timers.after(1, kept)
  timers.after(1, cancelled)()
  await later(20)
  expect(kept).toHaveBeenCalledOnce()
  expect(cancelled).not.toHaveBeenCalled()
})

test('runs nothing once it has stopped, neither what waits nor what is asked for then', async () => {
  const timers = createTimers(systemScheduler)
  const [before, after] = [vi.fn<() => void>(), vi.fn<() => void>()]
  timers.after(1, before)
  timers.stop()
  timers.after(1, after)
  await later(20)
  expect(before).not.toHaveBeenCalled()
  expect(after).not.toHaveBeenCalled()
})
