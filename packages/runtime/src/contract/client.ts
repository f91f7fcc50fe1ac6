import { asPeerplaneError, type Json, type PeerplaneError } from '@peerplane/core'

import { targetOf, type AnyOperation, type Contract, type Method } from './contract.ts'
import type { Form } from './form.ts'
import { fromPortable, type Reply, type Request } from './messages.ts'

/** What a client works with. */
export interface ClientOptions<Target> {
  readonly contract: Contract<Target>
  readonly post: (request: Request) => void
  /** A watch was refused that has no update for that. */
  readonly refused: (error: PeerplaneError) => void
}

interface Watching {
  show(data: unknown): void
  fail(error: PeerplaneError): void
}

/**
 * Drives an object that a server at a distance serves. Nothing is repeated and nothing timed here: if the server dies, open promises stay
 * open until {@link Client.stop}.
 */
export class Client<Target> {
  /** The object, as it looks from here. */
  readonly target: Target
  readonly #options: ClientOptions<Target>
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>()
  readonly #forms = new Map<number, Form<unknown>>()
  readonly #watched = new Map<number, Watching>()
  #next = 0
  #stopped: PeerplaneError | undefined

  constructor(options: ClientOptions<Target>) {
    this.#options = options
    this.target = targetOf(options.contract, (name, operation): Method =>
      operation.kind === 'ask'
        ? (...given) => this.#ask(name, operation, given)
        : (...given) => this.#watch(name, operation, given),
    )
  }

  /** Takes a reply of the server. */
  receive(reply: Reply): void {
    if (reply.kind === 'failed') this.#fail(reply.id, fromPortable(reply.error))
    else if (reply.kind === 'answer') this.#settle(reply.id, reply.value)
    else this.#show(reply.id, reply.value)
  }

  /** Rejects what is open, and whatever is asked from here on. */
  stop(error: PeerplaneError): void {
    if (this.#stopped) return
    this.#stopped = error
    for (const id of [...this.#asked.keys(), ...this.#watched.keys()]) this.#fail(id, error)
  }

  async #ask(
    name: string,
    operation: Extract<AnyOperation, { readonly kind: 'ask' }>,
    given: readonly unknown[],
  ): Promise<unknown> {
    if (this.#stopped) throw this.#stopped
    const id = this.#next++
    const answer = Promise.withResolvers<unknown>()
    this.#asked.set(id, answer)
    this.#forms.set(id, operation.answer)
    try {
      this.#options.post({ kind: 'ask', id, operation: name, given: written(operation, given) })
    } catch (cause) {
      // What cannot be sent is no JSON, or too large.
      this.#fail(id, asPeerplaneError(cause, 'invalid-input'))
    }
    return answer.promise
  }

  #watch(
    name: string,
    operation: Extract<AnyOperation, { readonly kind: 'watch' }>,
    all: readonly unknown[],
  ): () => void {
    if (this.#stopped) throw this.#stopped
    const given = all.slice(0, -1)
    const listener = all.at(-1) as (update: unknown) => void
    const id = this.#next++
    const form = operation.updates()
    this.#watched.set(id, {
      show: (data) => listener(form.read(data, name)),
      fail: (error) => {
        if (operation.refused) listener(operation.refused(error))
        else this.#options.refused(error)
      },
    })
    this.#options.post({ kind: 'watch', id, operation: name, given: written(operation, given) })
    return () => {
      if (this.#watched.delete(id)) this.#options.post({ kind: 'unwatch', id })
    }
  }

  #show(id: number, data: unknown): void {
    const watching = this.#watched.get(id)
    if (!watching) return
    // First, so that a listener that throws does not end the watch.
    this.#options.post({ kind: 'seen', id })
    watching.show(data)
  }

  #settle(id: number, data: unknown): void {
    const answer = this.#asked.get(id)
    const form = this.#forms.get(id)
    this.#asked.delete(id)
    this.#forms.delete(id)
    if (!answer || !form) return
    try {
      answer.resolve(form.read(data, 'answer'))
    } catch (error) {
      answer.reject(error)
    }
  }

  #fail(id: number, error: PeerplaneError): void {
    this.#asked.get(id)?.reject(error)
    this.#asked.delete(id)
    this.#forms.delete(id)
    const watching = this.#watched.get(id)
    this.#watched.delete(id)
    watching?.fail(error)
  }
}

const written = (operation: AnyOperation, given: readonly unknown[]): Json =>
  operation.given.write(given) ?? []
