import { asPeerplaneError, PeerplaneError, toBase64Url } from '@peerplane/core'
import type { Backend, PlaneStatus, Problem } from '@peerplane/runtime'

import { Calls, type Target } from './calls.ts'
import type { TabEnvironment } from './environment.ts'
import { seamlessEntity, seamlessRows } from './seamless.ts'
import { createWatches } from './watches.ts'

/** A backend that stays while the one behind it changes. */
export interface SteadyBackend {
  readonly backend: Omit<Backend, 'close'>
  /** From now on requests go to `target`; what is open is asked again there, and watches follow. */
  attach(target: Target): void
  /** Requests wait for the next target. */
  detach(): void
  /** Whether the application wants a network; `undefined` as long as that was never said. */
  online(): boolean | undefined
  /** A failure that no caller can be told; the status shows it until a target is attached. */
  readonly failed: (error: unknown) => void
  /** Refuses what is asked from now on with `closed`; resolves when everything asked before is answered. */
  finish(): Promise<void>
  /** Ends all watches. */
  close(): void
}

/**
 * A steady backend without a target.
 *
 * Commands for another tab get an operation id, so that asking again runs them once. Watches start on a new target before the commands that
 * were open are called there again: a target shows the effect of a command before it answers. What another tab shows is durable, so nothing
 * that was shown is missing on the next target.
 */
export function createSteadyBackend(
  env: Pick<TabEnvironment, 'random' | 'scheduler'>,
): SteadyBackend {
  const calls = new Calls(env.scheduler)
  const listeners = new Set<(status: PlaneStatus) => void>()
  let current: Target | undefined
  let status: PlaneStatus | undefined
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
  const watches = createWatches(failed)
  watches.add((backend) =>
    backend.watchStatus((next) => {
      status = next
      if (asked === undefined || asked === next.online) {
        asked = undefined
        online = next.online
      }
      tell()
    }),
  )
  const watch: typeof watches.add = (start) => {
    if (closed) throw new PeerplaneError('closed', 'the plane was closed')
    return watches.add(start)
  }

  const backend: SteadyBackend['backend'] = {
    invoke: (invocations, options) => {
      let { operationId } = options
      return calls.make(
        (target, elsewhere) => {
          if (elsewhere) operationId ??= toBase64Url(env.random.bytes(16))
          return target.invoke(invocations, { ...options, operationId })
        },
        () => operationId,
      )
    },
    outcome: (operationId) => calls.make((target) => target.outcome(operationId)),
    list: (type, query) => calls.make((target) => target.list(type, query)),
    invite: (hours, trustClock) => calls.make((target) => target.invite(hours, trustClock)),
    setOnline: (wanted) => {
      online = wanted
      asked = wanted
      return calls.make((target) => target.setOnline(wanted))
    },
    hasten: () => current?.backend.hasten(),
    watchEntity: (type, id, listener) => {
      const seamless = seamlessEntity(listener)
      return watch((target) => target.watchEntity(type, id, seamless()))
    },
    watchType: (type, query, listener) => {
      const seamless = seamlessRows(listener)
      return watch((target) => target.watchType(type, query, seamless()))
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
    online: () => online,
    failed,
    finish: () => {
      closed = true
      return calls.finish()
    },
    close: () => {
      watches.detach()
      listeners.clear()
    },
  }
}

const withProblem = (status: PlaneStatus, problem: Problem | undefined): PlaneStatus =>
  problem ? { ...status, lastError: status.lastError ?? problem } : status
