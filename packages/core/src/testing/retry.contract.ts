import { expect, it } from 'vitest'

import { errorKinds, PeerplaneError, type ErrorCode } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Scheduler } from '../ports/scheduler.ts'

/** Time that passes only when a test says so: one timer after the other, and all promises settle in between. */
export class VirtualTime {
  ms: number = 1_800_000_000_000
  readonly clock: Clock = { now: () => this.ms }
  readonly scheduler: Scheduler = {
    after: (delayMs, task) => {
      const timer = { at: this.ms + Math.max(0, delayMs), task }
      this.#timers.add(timer)
      return () => {
        this.#timers.delete(timer)
      }
    },
  }
  readonly #timers = new Set<{ readonly at: number; readonly task: () => void }>()

  async pass(ms: number): Promise<void> {
    const end = this.ms + ms
    for (;;) {
      await settle()
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
      if (!next) break
      this.#timers.delete(next)
      this.ms = Math.max(this.ms, next.at)
      next.task()
    }
    this.ms = end
  }
}

/** Something of ours that meets failures. */
export interface RetryFixture {
  /** Time, if it differs from that of {@link RetryWorld}. */
  readonly time?: Pick<VirtualTime, 'ms' | 'pass'>
  /** Gives it work at which it fails. */
  begin(): void
  /** Gives it other work, at which nothing fails; resolves when that is done. */
  later(): Promise<void>
  close?(): Promise<void>
}

/** What a caller works with. */
export interface RetryWorld {
  readonly time: VirtualTime
  readonly code: ErrorCode
  /** Is called with each attempt, and throws from `begin` on as long as there is a fault. */
  readonly attempt: () => void
}

/** What is known of a caller. */
export interface RetryOptions {
  /** Who tries again what may succeed later: the caller itself, or its own callers. */
  readonly by: 'itself' | 'others'
  /** Codes after which it does not go on at all, with the reason. */
  readonly ends?: Partial<Readonly<Record<ErrorCode, string>>>
}

/** Attempts that come sooner after the first one belong to it. */
const FIRST_MS = 200
const WATCHED_MS = 20_000
/** There is a pause between two attempts, so there can be no more than this. */
const MOST_ATTEMPTS = WATCHED_MS / 250

/**
 * The tests of everything that meets errors of the catalogue: what cannot succeed later is tried once, what can is tried again with pauses, and neither
 * holds back what comes later.
 */
export function retryContract(
  name: string,
  { by, ends = {} }: RetryOptions,
  open: (world: RetryWorld) => Promise<RetryFixture>,
): void {
  it(`temporary errors are retried with pauses, other errors are not, and later work is not delayed: ${name}`, async () => {
    const faults: string[] = []
    for (const code of Object.keys(errorKinds) as ErrorCode[]) {
      const fault = await faultOf(code, by, code in ends, open)
      if (fault !== undefined) faults.push(`${code}: ${fault}`)
    }
    expect(faults).toEqual([])
  })
}

async function faultOf(
  code: ErrorCode,
  by: RetryOptions['by'],
  isEnd: boolean,
  open: (world: RetryWorld) => Promise<RetryFixture>,
): Promise<string | undefined> {
  const own = new VirtualTime()
  let time: Pick<VirtualTime, 'ms' | 'pass'> = own
  let fails = false
  const attempts = new Set<number>()
  const attempt = (): void => {
    if (!fails) return
    attempts.add(time.ms)
    throw new PeerplaneError(code, 'the fault of this test')
  }
  const fixture = await open({ time: own, code, attempt })
  time = fixture.time ?? own
  fails = true
  fixture.begin()
  await time.pass(WATCHED_MS)
  const [first = 0] = attempts
  const after = [...attempts].map((at) => Math.round(at - first))
  const again = after.filter((ms) => ms > FIRST_MS)
  const tried = `tried after ${after.slice(0, 5).join(', ')} ms`
  fails = false
  const isDone = isEnd || (await isDoneInTime(time, fixture.later()))
  await fixture.close?.()
  if (attempts.size === 0) return 'not even tried'
  const wanted = by === 'itself' && errorKinds[code].retry
  if (wanted && again.length === 0) return `not tried again: ${tried}`
  if (!wanted && again.length > 0) return `tried again: ${tried}`
  if (attempts.size > MOST_ATTEMPTS) return `tried without pauses: ${attempts.size} times, ${tried}`
  return isDone ? undefined : 'what came later was not done'
}

async function isDoneInTime(
  time: Pick<VirtualTime, 'pass'>,
  later: Promise<void>,
): Promise<boolean> {
  let isDone = false
  later.then(
    () => (isDone = true),
    () => undefined,
  )
  // What is computed elsewhere, such as a signature, takes real time.
  const patience = globalThis.performance.now() + 5_000
  for (let i = 0; !isDone && (i < 100 || globalThis.performance.now() < patience); i++) {
    await time.pass(200)
  }
  return isDone
}

/** Until everything that waits for promises has gone on. */
const settle = (): Promise<void> =>
  new Promise((resolve) => {
    globalThis.setTimeout(resolve, 0)
  })
