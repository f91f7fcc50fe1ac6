import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { Random } from '../ports/random.ts'
import type { Scheduler } from '../ports/scheduler.ts'

/** A scheduler, and what lets its time pass. */
export interface SchedulerFixture {
  readonly scheduler: Scheduler
  pass(ms: number): Promise<void>
}

const DAY_MS = 24 * 3_600_000

/** The tests that every {@link Scheduler} passes, with clocks that are neither fast nor slow. */
export function schedulerContract(name: string, open: () => SchedulerFixture): void {
  describe(`scheduler contract: ${name}`, () => {
    test('every task runs once, after its delay and not in the middle of its caller; none that was cancelled runs', async () => {
      const timers = fc.array(fc.record({ delayMs: fc.nat(500), isCancelled: fc.boolean() }), {
        maxLength: 20,
      })
      await fc.assert(
        fc.asyncProperty(timers, async (all) => {
          const { scheduler, pass } = open()
          const runs = all.map(() => 0)
          const cancels = all.map(({ delayMs }, i) => scheduler.after(delayMs, () => runs[i]!++))
          expect(runs.every((count) => count === 0)).toBe(true)
          for (const [i, { isCancelled }] of all.entries()) if (isCancelled) cancels[i]!()
          let now = 0
          for (const at of [100, 300, 600]) {
            await pass(at - now)
            now = at
            for (const [i, { delayMs, isCancelled }] of all.entries()) {
              const least = !isCancelled && delayMs + 10 <= at ? 1 : 0
              const most = !isCancelled && delayMs <= at ? 1 : 0
              expect(runs[i]).toBeGreaterThanOrEqual(least)
              expect(runs[i]).toBeLessThanOrEqual(most)
            }
          }
          // At any time, and again.
          for (const cancel of [...cancels, ...cancels]) cancel()
          await pass(1000)
          expect(runs).toEqual(all.map(({ isCancelled }) => (isCancelled ? 0 : 1)))
        }),
        { numRuns: 30 },
      )
    })

    test('a task may start the next one, also without a delay', async () => {
      const { scheduler, pass } = open()
      let count = 0
      const next = (): void => {
        if (++count < 50) scheduler.after(0, next)
      }
      scheduler.after(0, next)
      await pass(1000)
      expect(count).toBe(50)
    })

    test('a delay of months is kept', async () => {
      const { scheduler, pass } = open()
      let runs = 0
      scheduler.after(60 * DAY_MS, () => runs++)
      await pass(59 * DAY_MS)
      expect(runs).toBe(0)
      await pass(2 * DAY_MS)
      expect(runs).toBe(1)
    })
  })
}

/** The tests that every {@link Random} passes. */
export function randomContract(name: string, create: () => Random): void {
  describe(`random contract: ${name}`, () => {
    test.each([0, 1, 32, 65_537, 200_000])('gives %i bytes', (length) => {
      expect(create().bytes(length)).toHaveLength(length)
    })

    test('gives bytes of all values about equally often, and never the same ones again', () => {
      const random = create()
      const bytes = random.bytes(256 * 400)
      const counts = Array.from({ length: 256 }, () => 0)
      for (const byte of bytes) counts[byte]!++
      // Each is 400 with a standard deviation of 20: eight of them away is a chance below 1e-12 for all.
      for (const count of counts) expect(Math.abs(count - 400)).toBeLessThan(160)
      const keys = Array.from({ length: 1000 }, () => random.bytes(16).join())
      expect(new Set(keys).size).toBe(1000)
    })

    test('does not keep the arrays that it gives', () => {
      const random = create()
      const first = random.bytes(32)
      const before = first.slice()
      random.bytes(32).fill(0)
      expect(first).toEqual(before)
    })
  })
}
