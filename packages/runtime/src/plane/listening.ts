import { describe, equalData, isA, PeerplaneError, reasonOf, type Trace } from '@peerplane/core'

import type { Report } from '../ports.ts'

/** `listener`, if it is a function. Throws `invalid-input`. */
export function checkListener<F>(listener: F): F {
  if (typeof listener === 'function') return listener
  const reason = `a listener is a function, not ${describe(listener)}`
  throw new PeerplaneError('invalid-input', reason)
}

/**
 * What a backend calls in place of a listener of an application: it skips data that equal the data before, and never throws. What the
 * listener throws, or rejects with, is reported as `listener-failed`; it is not called with the same again.
 */
export function distinct<Data, Rest extends readonly unknown[]>(
  listener: (data: Data, ...rest: Rest) => unknown,
  report: Report,
): (data: Data, ...rest: Rest) => void {
  let shown: { readonly data: Data } | undefined
  const fail = (cause: unknown): void => report(failure(cause))
  return (data, ...rest) => {
    if (shown && equalData(shown.data, data)) return
    shown = { data }
    try {
      const result = listener(data, ...rest)
      if (isA(Promise, result)) result.catch(fail)
    } catch (error) {
      fail(error)
    }
  }
}

/** The trace of an application. What it throws is reported as `listener-failed`, and does not disturb the plane. */
export const shielded = (listener: Trace, report: Report): Trace => {
  return (name, fields) => {
    try {
      listener(name, fields)
    } catch (error) {
      report(failure(error))
    }
  }
}

const failure = (cause: unknown): PeerplaneError =>
  new PeerplaneError('listener-failed', `a listener threw: ${reasonOf(cause)}`, { cause })
