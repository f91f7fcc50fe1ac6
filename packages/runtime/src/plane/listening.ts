import { describe, equalData, isA, PeerplaneError, reasonOf, type Trace } from '@peerplane/core'

import type { Report } from '../ports.ts'

/** Returns `listener` if it is a function. Otherwise throws `invalid-input`. */
export function checkListener<F>(listener: F): F {
  if (typeof listener === 'function') return listener
  const reason = `a listener is a function, not ${describe(listener)}`
  throw new PeerplaneError('invalid-input', reason)
}

/**
 * Wraps a listener of an application, so that a backend can call it. The returned function never throws, and ignores data that is equal to the
 * previous data. If the listener throws or rejects, the error is reported as `listener-failed`, and the listener is not called again with the same
 * data.
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

/**
 * Wraps the trace function of an application. An error that the trace function throws is reported as `listener-failed` and does not affect the plane.
 */
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
