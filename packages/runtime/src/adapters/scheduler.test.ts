import { afterEach, expect, it, vi } from 'vitest'

import { systemScheduler } from './scheduler.ts'

afterEach(() => {
  vi.useRealTimers()
})

it('runs a task once, after its delay', async () => {
  vi.useFakeTimers()
  const task = vi.fn<() => void>()
  systemScheduler.after(20, task)
  await vi.advanceTimersByTimeAsync(19)
  expect(task).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(task).toHaveBeenCalledTimes(1)
})

it('keeps delays longer than the platform can, and cancels in the middle of one', async () => {
  vi.useFakeTimers()
  const days = 24 * 3_600_000
  const [late, never] = [vi.fn<() => void>(), vi.fn<() => void>()]
  systemScheduler.after(60 * days, late)
  const cancel = systemScheduler.after(60 * days, never)
  await vi.advanceTimersByTimeAsync(59 * days)
  expect(late).not.toHaveBeenCalled()
  cancel()
  await vi.advanceTimersByTimeAsync(2 * days)
  expect(late).toHaveBeenCalledTimes(1)
  expect(never).not.toHaveBeenCalled()
  cancel()
})
