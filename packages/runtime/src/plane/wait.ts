import { describe, isA, PeerplaneError, type Scheduler } from '@peerplane/core'

import { systemScheduler } from '../adapters/scheduler.ts'
import { takeOptions } from '../contract/options.ts'

/** Options that limit how long a caller waits for an operation. When the caller stops waiting, the operation continues. */
export interface Wait {
  /** The caller stops waiting when this signal is aborted. */
  readonly signal?: AbortSignal | undefined
  /** The caller stops waiting after this many milliseconds. */
  readonly timeoutMs?: number | undefined
}

/** The longest time that a timer of a platform can wait. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1

/** The functions that check the options in a `Wait`. */
export const waitReaders = {
  signal: (value: unknown, name: string): AbortSignal => {
    if (isA(AbortSignal, value)) return value
    throw invalid(`the option ${name} is an AbortSignal, not ${describe(value)}`)
  },
  timeoutMs: (value: unknown, name: string): number => {
    if (typeof value === 'number' && value >= 0 && value <= MAX_TIMEOUT_MS) return value
    const range = `0 to ${MAX_TIMEOUT_MS} milliseconds`
    throw invalid(`the option ${name} is ${range}, not ${describe(value)}`)
  },
} as const

/** Reads the `Wait` in an options object. Throws `invalid-input`. */
export const takeWait = (options: unknown): Wait => takeOptions<Wait>(options, waitReaders)

/** Whether a wait may end before the operation has ended. */
export const isBounded = ({ signal, timeoutMs }: Wait): boolean =>
  signal !== undefined || timeoutMs !== undefined

/**
 * Resolves with the result of `task`, or rejects with its error. If the caller stops waiting, rejects with the error that `givenUp` makes of the
 * reason, which is an error with the code `aborted` or `timeout`. If the signal is already aborted, `task` is not called.
 */
export async function waitFor<T>(
  task: () => Promise<T>,
  { signal, timeoutMs }: Wait,
  scheduler: Scheduler,
  givenUp: (reason: PeerplaneError) => PeerplaneError = (reason) => reason,
): Promise<T> {
  if (signal?.aborted) throw aborted(signal)
  if (signal === undefined && timeoutMs === undefined) return task()
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const abort = (): void => reject(givenUp(aborted(signal!)))
  signal?.addEventListener('abort', abort)
  const cancel =
    timeoutMs === undefined
      ? undefined
      : scheduler.after(timeoutMs, () => {
          const reason = `there was no answer within ${timeoutMs} milliseconds`
          reject(givenUp(new PeerplaneError('timeout', reason)))
        })
  try {
    task().then(resolve, reject)
    return await promise
  } finally {
    signal?.removeEventListener('abort', abort)
    cancel?.()
  }
}

/**
 * Resolves with the plane that `open` opens. Rejects with `aborted` or `timeout` if the caller stops waiting. If the plane opens after the caller has
 * stopped waiting, the plane is closed.
 */
export async function openWithin<P extends { close(): Promise<void> }>(
  open: () => Promise<P>,
  options: unknown,
): Promise<P> {
  const wait = takeWait(options)
  let opening: Promise<P> | undefined
  try {
    return await waitFor(() => (opening = open()), wait, systemScheduler)
  } catch (error) {
    // Ignored: the caller was already told why there is no plane.
    opening?.then(
      (opened) => opened.close(),
      () => undefined,
    )
    throw error
  }
}

const aborted = (signal: AbortSignal): PeerplaneError =>
  new PeerplaneError('aborted', 'the caller no longer waits', { cause: signal.reason })

const invalid = (reason: string): PeerplaneError => new PeerplaneError('invalid-input', reason)
