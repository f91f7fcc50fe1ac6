import { asPeerplaneError, PeerplaneError, toBase64Url } from '@peerplane/core'
import { type Backend, type PlaneStatus, type Problem } from '@peerplane/runtime'
import {
  backendContract,
  targetOf,
  type AnyOperation,
  type Method,
  type RemoteBackend,
} from '@peerplane/runtime/contract'

import { Calls, type Target } from './calls.ts'
import type { TabEnvironment } from './environment.ts'
import { seamless } from './seamless.ts'
import { createSteadyWatches } from './steady-watches.ts'

/** What a tab knows of the runtimes that led before, in this tab or another one. */
export interface Before {
  /** Whether the application wants a network; `undefined` as long as that was never said. */
  readonly online: boolean | undefined
  /** How many commands the status counted as undone. */
  readonly undone: number
}

/** A backend that stays while the one behind it changes. */
export interface SteadyBackend {
  readonly backend: Omit<Backend, 'close'>
  /** From now on requests go to `target`; what is open is asked again there, and watches follow. */
  attach(target: Target): void
  /** Requests wait for the next target. */
  detach(): void
  /** What a runtime that is opened next has to know. */
  before(): Before
  /** Called with a failure that no caller waits for; the status shows it until a target is attached. */
  readonly failed: (error: unknown) => void
  /** Refuses what is asked from now on with `closed`; resolves when everything asked before is answered. */
  finish(): Promise<void>
  /** Rejects all that was asked and will be with `error`, which the status shows from now on. */
  end(error: PeerplaneError): void
  /** Ends all watches. */
  close(): void
}

/**
 * A steady backend without a target. `displaced` is called when a target has another space than one before it, in which something was stored.
 *
 * Commands for another tab get an operation id, so that asking again runs them once. Watches start on a new target before the commands that
 * were open are called there again: a target shows the effect of a command before it answers. What another tab shows is durable, so nothing
 * that was shown is missing on the next target.
 */
export function createSteadyBackend(
  env: Pick<TabEnvironment, 'random' | 'scheduler'>,
  displaced: () => void,
): SteadyBackend {
  const calls = new Calls(env.scheduler)
  const listeners = new Set<(status: PlaneStatus) => void>()
  let current: Target | undefined
  let status: PlaneStatus | undefined
  /** The space of this plane, once it is stored. */
  let space: PlaneStatus['space'] | undefined
  let online: boolean | undefined
  /** What this tab asked for, until a status says so: one that was on its way says what was before. */
  let asked: boolean | undefined
  let problem: Problem | undefined
  let closed = false

  const tell = (): void => {
    if (status) for (const listener of listeners) listener(withProblem(status, problem))
  }
  const failed = (error: unknown): void => {
    const { code, message } = asPeerplaneError(error, 'store-failed')
    problem = { code, message }
    tell()
  }
  const watches = createSteadyWatches(failed)
  watches.add((backend) =>
    backend.watchStatus((next) => {
      if (space !== undefined && next.space !== space) return displaced()
      if (next.membership !== 'none') space = next.space
      status = next
      if (asked === undefined || asked === next.online) {
        asked = undefined
        online = next.online
      }
      tell()
    }),
  )
  const method = (name: string, operation: AnyOperation): Method => {
    const call = (target: RemoteBackend, given: readonly unknown[]): unknown =>
      (target as unknown as { readonly [name: string]: Method })[name]!(...given)
    if (operation.kind === 'watch') {
      return (...given) => {
        if (closed) throw new PeerplaneError('closed', 'the plane was closed')
        const listen = seamless(given.at(-1) as (update: unknown) => void)
        return watches.add(
          (target) => call(target, [...given.slice(0, -1), listen()]) as () => void,
        )
      }
    }
    const { repeat } = operation
    return (...given) => {
      if (repeat === 'freely')
        return calls.make((target) => call(target, given) as Promise<unknown>)
      let operationId = repeat.operationId(given)
      return calls.make(
        (target, elsewhere) => {
          if (elsewhere) operationId ??= toBase64Url(env.random.bytes(16))
          const marked = operationId === undefined ? given : repeat.mark(given, operationId)
          return call(target, marked) as Promise<unknown>
        },
        () => operationId,
      )
    }
  }
  const derived = targetOf<RemoteBackend>(backendContract, method)
  const backend: SteadyBackend['backend'] = {
    ...derived,
    setOnline: (wanted) => {
      online = wanted
      asked = wanted
      return derived.setOnline(wanted)
    },
    status: () => (current?.local ? current.backend.status?.() : undefined),
    hasten: () => {
      if (current?.local) current.backend.hasten()
    },
    watchStatus: (listener) => {
      listeners.add(listener)
      if (status) listener(withProblem(status, problem))
      return () => {
        listeners.delete(listener)
      }
    },
  }
  return {
    backend,
    attach: (target) => {
      current = target
      problem = undefined
      watches.attach(target.backend)
      void calls.attach(target)
    },
    detach: () => {
      current = undefined
      watches.detach()
      calls.detach()
    },
    before: () => ({ online, undone: status?.undone ?? 0 }),
    failed,
    finish: () => {
      closed = true
      return calls.finish()
    },
    end: (error) => {
      closed = true
      current = undefined
      watches.detach()
      calls.end(error)
      failed(error)
    },
    close: () => {
      watches.detach()
      listeners.clear()
    },
  }
}

const withProblem = (status: PlaneStatus, problem: Problem | undefined): PlaneStatus =>
  problem ? { ...status, lastError: status.lastError ?? problem } : status
