import type { PeerplaneError } from '@peerplane/core'
import type { PlaneStatus, Problem } from '@peerplane/runtime'

/** What a tab knows of the runtimes that led before, in this tab or another one. */
export interface Before {
  /** Whether the application wants a network; `undefined` as long as that was never said. */
  readonly online: boolean | undefined
  /** How many commands the status counted as undone. */
  readonly undone: number
}

/** The status of a plane, across the backends that it had. */
export class SteadyStatus {
  readonly #displaced: () => void
  readonly #listeners = new Set<(status: PlaneStatus) => void>()
  #status: PlaneStatus | undefined
  /** The space of this plane, once it is stored. */
  #space: PlaneStatus['space'] | undefined
  #online: boolean | undefined
  /** What this tab asked for, until a status says so: one that was on its way says what was before. */
  #asked: boolean | undefined
  #problem: Problem | undefined

  /** `displaced` is called when a status is of a different space from one before it, in which something was stored. */
  constructor(displaced: () => void) {
    this.#displaced = displaced
  }

  /** Takes the status of the backend at this moment. */
  take(next: PlaneStatus): void {
    if (this.#space !== undefined && next.space !== this.#space) return this.#displaced()
    if (next.membership !== 'none') this.#space = next.space
    this.#status = next
    if (this.#asked === undefined || this.#asked === next.online) {
      this.#asked = undefined
      this.#online = next.online
    }
    this.#call()
  }

  /** The application has asked for the network, or to be without it. */
  ask(online: boolean): void {
    this.#online = online
    this.#asked = online
  }

  before(): Before {
    return { online: this.#online, undone: this.#status?.undone ?? 0 }
  }

  /** Is shown until something works. */
  fail({ code, message }: PeerplaneError): void {
    this.#problem = { code, message }
    this.#call()
  }

  works(): void {
    this.#problem = undefined
  }

  watch(listener: (status: PlaneStatus) => void): () => void {
    this.#listeners.add(listener)
    if (this.#status) listener(this.#shown(this.#status))
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /** Calls no listener from here on. */
  stop(): void {
    this.#listeners.clear()
  }

  #call(): void {
    const status = this.#status
    if (status) for (const listener of this.#listeners) listener(this.#shown(status))
  }

  #shown(status: PlaneStatus): PlaneStatus {
    const problem = this.#problem
    return problem ? { ...status, lastError: status.lastError ?? problem } : status
  }
}
