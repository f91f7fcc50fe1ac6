import { limits, PeerplaneError, type Scheduler } from '@peerplane/core'
import type { LocalBackend } from '@peerplane/runtime'
import type { RemoteBackend } from '@peerplane/runtime/contract'

import { atDeadline } from './deadline.ts'

/** Where requests go at the moment: to the runtime of this very tab, or through another one. */
export type Target =
  | { readonly local: true; readonly backend: LocalBackend }
  | { readonly local: false; readonly backend: RemoteBackend }

/** One request; `elsewhere` if it goes to another tab, which may have to be asked again. */
type Request<T> = (backend: RemoteBackend, elsewhere: boolean) => Promise<T>

interface Call {
  readonly request: Request<unknown>
  readonly operationId: () => string | undefined
  readonly answer: PromiseWithResolvers<unknown>
  /** Whether another tab was asked: it may have taken effect. */
  handedOver: boolean
  /** While the runtime of this tab works on it. */
  working: Promise<void> | undefined
  cancelDeadline: (() => void) | undefined
}

/** Requests that outlive the backend they were made to; there is none at first. */
export class Calls {
  readonly #scheduler: Scheduler
  readonly #open = new Set<Call>()
  #target: Target | undefined
  #next: Target | undefined
  #refused: PeerplaneError | undefined

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  /**
   * Makes a request to the target, or to the next one if there is none, and again to each later target until one has answered.
   *
   * Rejects with what the target says, `overloaded`, `timeout`, `closed`, or `unknown` if it was handed to another tab and is a command,
   * which `operationId` names.
   */
  async make<T>(
    request: Request<T>,
    operationId: Call['operationId'] = () => undefined,
  ): Promise<T> {
    if (this.#refused) throw this.#refused
    if (!this.#target?.local && this.#open.size >= limits.tabQueue) {
      throw new PeerplaneError('overloaded', `${limits.tabQueue} requests wait for the leading tab`)
    }
    const call: Call = {
      request,
      operationId,
      answer: Promise.withResolvers<unknown>(),
      handedOver: false,
      working: undefined,
      cancelDeadline: undefined,
    }
    this.#open.add(call)
    this.#begin(call)
    return call.answer.promise as Promise<T>
  }

  /**
   * Makes all open requests again, in their order, and the later ones after them. What the runtime of this tab works on is waited for first:
   * only what it refuses, as it does once it is closed, may be asked of another one. Without a target they wait for the next one: what the
   * last one still does counts, what it refuses is asked again.
   */
  async attach(target: Target | undefined): Promise<void> {
    this.#target = undefined
    this.#next = target
    if (!target) return
    const working = [...this.#open].map((call) => call.working).filter((each) => each !== undefined)
    if (working.length > 0) await Promise.all(working)
    if (this.#next !== target) return
    this.#target = target
    for (const call of this.#open) this.#begin(call)
  }

  /** Refuses further requests with `closed`; resolves when each open one has its answer. */
  async stop(): Promise<void> {
    this.#refused ??= new PeerplaneError('closed', 'the plane was closed')
    await Promise.allSettled([...this.#open].map(({ answer }) => answer.promise))
  }

  /** Rejects all open requests and further ones with `error`. */
  fail(error: PeerplaneError): void {
    this.#refused = error
    void this.attach(undefined)
    for (const call of this.#open) if (this.#end(call)) call.answer.reject(error)
  }

  #begin(call: Call): void {
    const target = this.#target
    if (target?.local) this.#endDeadline(call)
    else {
      call.cancelDeadline ??= atDeadline(this.#scheduler, () => this.#miss(call))
    }
    if (!target) return
    call.handedOver ||= !target.local
    const asked = this.#ask(call, target)
    if (target.local) call.working = asked
  }

  async #ask(call: Call, target: Target): Promise<void> {
    try {
      const value = await call.request(target.backend, !target.local)
      // True wherever it comes from, even from a leader that has gone since.
      if (this.#end(call)) call.answer.resolve(value)
    } catch (error) {
      if (target === this.#target && this.#end(call)) call.answer.reject(error)
    } finally {
      call.working = undefined
    }
  }

  #miss(call: Call): void {
    if (!this.#end(call)) return
    const operationId = call.handedOver ? call.operationId() : undefined
    const reason = `the leading tab has not answered for ${limits.tabAnswerMs / 1000} seconds`
    const error = operationId
      ? new PeerplaneError('unknown', reason, { operationId })
      : new PeerplaneError('timeout', reason)
    call.answer.reject(error)
  }

  #end(call: Call): boolean {
    this.#endDeadline(call)
    return this.#open.delete(call)
  }

  #endDeadline(call: Call): void {
    call.cancelDeadline?.()
    call.cancelDeadline = undefined
  }
}
