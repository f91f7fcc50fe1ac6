import { codeOf, PeerplaneError } from './errors.ts'
import type { Trace } from './ports/trace.ts'

/**
 * Something that works on its own until it is stopped, such as a timer, a listener or a connection. A caller gets a service only after the service
 * has started.
 *
 * Once `stop` has returned, or its promise has resolved, the service does nothing more. A second call of `stop` has no effect. `stop` does not fail
 * if the other side of a connection is already gone.
 */
export interface Service {
  stop(): Promise<void> | void
}

interface Started {
  readonly name: string
  readonly stop: () => Promise<void> | void
}

/**
 * A list of services in the order in which they started. The services stop one after the other, in the reverse order of their start. If a service
 * fails to stop, the failure is traced and the other services still stop.
 */
export class Services implements Service {
  readonly #trace: Trace | undefined
  readonly #started: Started[] = []
  readonly #steps = new Set<Promise<unknown>>()
  #stopping: Promise<void> | undefined

  constructor(trace: Trace | undefined) {
    this.#trace = trace
  }

  /**
   * Calls `begin` with an empty list of services, and resolves with its result. If `begin` rejects, all services that have started are stopped, and
   * `open` rejects with the same error.
   */
  static async open<T>(
    trace: Trace | undefined,
    begin: (services: Services) => Promise<T>,
  ): Promise<T> {
    const services = new Services(trace)
    try {
      return await begin(services)
    } catch (error) {
      // Ignored: it is traced, and why the services did not start is the one to report.
      await services.stop().catch(() => undefined)
      throw error
    }
  }

  /**
   * Starts one more service. `name` names the service in events. Rejects with the error of `start`. Rejects with `closed` if the services were
   * stopped before the new service had started; the new service is then stopped too.
   */
  start<T>(
    name: string,
    start: () => Promise<T>,
    stop: (started: T) => Promise<void> | void,
  ): Promise<T> {
    return this.step(async () => {
      const started = await start()
      this.add(name, { stop: () => stop(started) })
      return started
    })
  }

  /**
   * Runs a part of the start. No service stops while `task` runs. Rejects with the error of `task`, or with `closed` if the services were stopped
   * meanwhile.
   */
  async step<T>(task: () => Promise<T>): Promise<T> {
    this.#assertGoing()
    const running = task()
    this.#steps.add(running)
    try {
      const result = await running
      this.#assertGoing()
      return result
    } finally {
      this.#steps.delete(running)
    }
  }

  /** Adds a service that has just started to the list. */
  add(name: string, service: Service): void {
    this.#started.push({ name, stop: () => service.stop() })
    this.#trace?.('service.started', { service: name })
  }

  /**
   * Stops all services, after the current step has ended. A step must not wait for `stop`, because `stop` waits for the step. If a service fails to
   * stop, `stop` rejects with the first failure, after all other services have stopped. A second call of `stop` returns the promise of the first
   * call.
   */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop())
  }

  async #stop(): Promise<void> {
    if (this.#steps.size > 0) await Promise.allSettled(this.#steps)
    const failures: unknown[] = []
    for (let last = this.#started.pop(); last; last = this.#started.pop()) {
      try {
        await last.stop()
        this.#trace?.('service.stopped', { service: last.name })
      } catch (error) {
        failures.push(error)
        this.#trace?.('service.failed', { service: last.name, code: codeOf(error) })
      }
    }
    if (failures.length > 0) throw failures[0]
  }

  #assertGoing(): void {
    if (this.#stopping) throw new PeerplaneError('closed', 'it was stopped before it had started')
  }
}
