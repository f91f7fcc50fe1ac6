import { equalData, isA, PeerplaneError, reasonOf } from '@peerplane/core'

import type { Report } from '../ports.ts'

/**
 * What a backend calls in place of a listener of an application: never twice in a row with equal data, and never throwing. What the
 * listener throws, or rejects with, is reported as `listener-failed`; it is not called with the same again.
 */
export function distinct<Data, Rest extends readonly unknown[]>(
  listener: (data: Data, ...rest: Rest) => unknown,
  report: Report,
): (data: Data, ...rest: Rest) => void {
  let shown: { readonly data: Data } | undefined
  const fail = (cause: unknown): void => {
    const reason = `a listener threw: ${reasonOf(cause)}`
    report(new PeerplaneError('listener-failed', reason, { cause }))
  }
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
