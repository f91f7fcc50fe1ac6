import { ManualClock } from '@peerplane/core/testing'
import { expect, test } from 'vitest'

import { paced } from './pace.ts'

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

function bench(costMs: number) {
  const clock = new ManualClock(1_000)
  const timers: { at: number; task: () => void }[] = []
  const scheduler = {
    after: (delayMs: number, task: () => void) => {
      timers.push({ at: clock.now() + delayMs, task })
      return () => undefined
    },
  }
  let done = 0
  const pace = paced(clock, scheduler, async () => {
    clock.ms += costMs
    done += 1
    return costMs
  })
  const pass = async (ms: number): Promise<void> => {
    clock.ms += ms
    for (const timer of timers.splice(0)) {
      if (timer.at <= clock.now()) timer.task()
      else timers.push(timer)
    }
    await settle()
  }
  return { pace, pass, done: () => done }
}

test('cheap work is done at every request', async () => {
  const { pace, done } = bench(0)
  for (let request = 1; request <= 5; request++) {
    pace.ask()
    await settle()
    expect(done()).toBe(request)
  }
})

test('expensive work rests twice as long as it took, and the last request is never forgotten', async () => {
  const { pace, pass, done } = bench(50)
  pace.ask()
  await settle()
  expect(done()).toBe(1)
  for (let request = 0; request < 9; request++) {
    pace.ask()
    await pass(10)
  }
  expect(done()).toBe(1)
  await pass(10)
  expect(done()).toBe(2)
  await pass(1_000)
  expect(done()).toBe(2)
})

test('insisting does not wait for the rest, and resolves when the work was done', async () => {
  const { pace, done } = bench(50)
  await pace.insist()
  await pace.insist()
  expect(done()).toBe(2)
  await Promise.all([pace.insist(), pace.insist()])
  expect(done()).toBe(4)
})

test('a clock that is set back does not make the rest longer', async () => {
  const { pace, pass, done } = bench(50)
  await pace.insist()
  await pass(-3_600_000)
  pace.ask()
  await pass(1_000)
  expect(done()).toBe(2)
})
