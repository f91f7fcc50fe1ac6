import { asPeerplaneError, PeerplaneError, toBase64Url, type Random } from '@peerplane/core'
import type { Backend } from '@peerplane/runtime'
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
import { SteadyStatus, type Before } from './steady-status.ts'
import { SteadyWatches } from './steady-watches.ts'

/**
 * A backend that stays while the one behind it changes; there is none at first. `displaced` is called when a target has a different space
 * from one before it, in which something was stored.
 *
 * Commands for another tab get an operation id, so that asking again runs them once. Watches start on a new target before the commands that
 * were open are called there again: a target shows the effect of a command before it answers. What another tab shows is durable, so nothing
 * that was shown is missing on the next target.
 */
export class SteadyBackend {
  readonly backend: Omit<Backend, 'close'>
  readonly #random: Random
  readonly #calls: Calls
  readonly #watches: SteadyWatches
  readonly #status: SteadyStatus
  #target: Target | undefined
  #isStopped = false

  constructor(env: Pick<TabEnvironment, 'random' | 'scheduler'>, displaced: () => void) {
    this.#random = env.random
    this.#calls = new Calls(env.scheduler)
    this.#watches = new SteadyWatches((error) => this.failed(error))
    this.#status = new SteadyStatus(displaced)
    this.#watches.add((backend) => backend.watchStatus((next) => this.#status.take(next)))
    this.backend = this.#stable()
  }

  /**
   * From now on requests go to `target`; what is open is asked again there, and watches follow. Without a target they wait for the next
   * one.
   */
  attach(target: Target | undefined): void {
    this.#target = target
    if (target) this.#status.works()
    this.#watches.attach(target?.backend)
    void this.#calls.attach(target)
  }

  /** What a runtime that is opened next has to know. */
  before(): Before {
    return this.#status.before()
  }

  /** Called with a failure that no caller waits for; the status shows it until a target is attached. */
  failed(error: unknown): void {
    this.#status.fail(asPeerplaneError(error, 'store-failed'))
  }

  /** Rejects all that was asked and will be with `error`, which the status shows from now on. */
  fail(error: PeerplaneError): void {
    this.#isStopped = true
    this.#target = undefined
    this.#watches.attach(undefined)
    this.#calls.fail(error)
    this.#status.fail(error)
  }

  /** Refuses what is asked from now on with `closed`. Ends all watches, and resolves, when everything asked before is answered. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#calls.stop()
    this.#watches.attach(undefined)
    this.#status.stop()
  }

  #stable(): Omit<Backend, 'close'> {
    const derived = targetOf<RemoteBackend>(backendContract, (name, operation) =>
      operation.kind === 'watch' ? this.#watch(name) : this.#ask(name, operation),
    )
    return {
      ...derived,
      setOnline: (wanted) => {
        this.#status.ask(wanted)
        return derived.setOnline(wanted)
      },
      status: () => (this.#target?.local ? this.#target.backend.status?.() : undefined),
      hasten: () => {
        if (this.#target?.local) this.#target.backend.hasten()
      },
      watchStatus: (listener) => this.#status.watch(listener),
    }
  }

  #watch(name: string): Method {
    return (...given) => {
      if (this.#isStopped) throw new PeerplaneError('closed', 'the plane was closed')
      const listen = seamless(given.at(-1) as (update: unknown) => void)
      return this.#watches.add(
        (target) => call(target, name, [...given.slice(0, -1), listen()]) as () => void,
      )
    }
  }

  #ask(name: string, { repeat }: Extract<AnyOperation, { readonly kind: 'ask' }>): Method {
    const ask = (target: RemoteBackend, given: readonly unknown[]): Promise<unknown> =>
      call(target, name, given) as Promise<unknown>
    return (...given) => {
      if (repeat === 'freely') return this.#calls.make((target) => ask(target, given))
      let operationId = repeat.operationId(given)
      return this.#calls.make(
        (target, elsewhere) => {
          if (elsewhere) operationId ??= toBase64Url(this.#random.bytes(16))
          return ask(target, operationId === undefined ? given : repeat.mark(given, operationId))
        },
        () => operationId,
      )
    }
  }
}

const call = (target: RemoteBackend, name: string, given: readonly unknown[]): unknown =>
  (target as unknown as { readonly [name: string]: Method })[name]!(...given)
