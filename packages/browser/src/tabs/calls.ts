import { limits, PeerplaneError, type Scheduler } from '@peerplane/core'
import type { Backend } from '@peerplane/runtime'

/** Where requests go at the moment. */
export interface Target {
  readonly backend: Omit<Backend, 'close'>
  /** Whether it is the runtime of this very tab. */
  readonly local: boolean
}

/** One request; `repeatable` if it may be made again elsewhere before its answer is known. */
type Request<T> = (backend: Target['backend'], repeatable: boolean) => Promise<T>

/** Requests that outlive the backend they were made to. */
export interface Calls {
  /**
   * Makes a request to the target, or to the next one if there is none. Until another tab has answered, it is made again to every new target;
   * what the runtime of this tab was asked stays with it. Rejects with what the target says, `overloaded`, `timeout`, or `closed`.
   */
  make<T>(request: Request<T>): Promise<T>
  /** Makes all open requests again, in their order; resolves when each of them has its answer. */
  attach(target: Target): Promise<void>
  /** There is no target until the next `attach`. */
  detach(): void
  /** Refuses further requests with `closed`; resolves when each open one has its answer. */
  finish(): Promise<void>
}

interface Call {
  readonly request: Request<unknown>
  readonly answer: PromiseWithResolvers<unknown>
  readonly cancelDeadline: () => void
}

/** No target at first. */
export function createCalls(scheduler: Scheduler): Calls {
  const open = new Set<Call>()
  let current: Target | undefined
  let closed = false

  const end = (call: Call): boolean => {
    call.cancelDeadline()
    return open.delete(call)
  }
  const start = async (call: Call, target: Target): Promise<void> => {
    try {
      const value = await call.request(target.backend, true)
      // True wherever it comes from, even from a leader that has gone since.
      if (end(call)) call.answer.resolve(value)
    } catch (error) {
      if (target === current && end(call)) call.answer.reject(error)
    }
  }
  const queue = (request: Request<unknown>): Call => {
    if (open.size >= limits.tabQueue) {
      throw new PeerplaneError('overloaded', `${limits.tabQueue} requests wait for the leading tab`)
    }
    const answer = Promise.withResolvers<unknown>()
    const cancelDeadline = scheduler.after(limits.tabAnswerMs, () => {
      const seconds = limits.tabAnswerMs / 1000
      const reason = `the leading tab has not answered for ${seconds} seconds`
      if (end(call)) answer.reject(new PeerplaneError('timeout', reason))
    })
    const call = { request, answer, cancelDeadline }
    open.add(call)
    return call
  }

  return {
    make: async <T>(request: Request<T>): Promise<T> => {
      if (closed) throw new PeerplaneError('closed', 'the plane was closed')
      if (current?.local) return request(current.backend, false)
      const call = queue(request)
      if (current) void start(call, current)
      return call.answer.promise as Promise<T>
    },
    attach: async (target) => {
      current = target
      const repeated = [...open]
      for (const call of repeated) void start(call, target)
      await Promise.allSettled(repeated.map(({ answer }) => answer.promise))
    },
    detach: () => {
      current = undefined
    },
    finish: async () => {
      closed = true
      await Promise.allSettled([...open].map(({ answer }) => answer.promise))
    },
  }
}
