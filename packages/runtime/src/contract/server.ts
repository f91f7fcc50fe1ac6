import { limits, PeerplaneError, type Json } from '@peerplane/core'

import {
  operationsOf,
  type AnyOperation,
  type Authority,
  type Contract,
  type Method,
  type Watch,
} from './contract.ts'
import { Latest } from './latest.ts'
import { toPortable, type Reply, type Request } from './messages.ts'

/** What a server works with. */
export interface ServerOptions<Target> {
  readonly contract: Contract<Target>
  readonly target: Target
  /** What the client may ask for. */
  readonly authority: Authority
  readonly post: (reply: Reply) => void
  /** Resolves when everything that watches have shown is durable; rejects when a part of it was given up. */
  readonly settled: () => Promise<void>
  /** What watches with a delay would show now: it is sent before the answer of what may have changed it. */
  readonly current?: { readonly [Name in keyof Target]?: () => unknown }
}

interface Running {
  readonly name: string
  readonly latest: Latest<unknown>
  readonly stop: () => void
}

/**
 * Serves an object to one client. An answer is sent after the updates that contain what it answers. Updates that the client has not seen
 * are left out in favour of later ones, so a slow client is never flooded.
 */
export class Server<Target> {
  readonly #options: ServerOptions<Target>
  readonly #operations: ReadonlyMap<string, AnyOperation>
  readonly #watches = new Map<number, Running>()
  #asked = 0
  #watchesEnded = false
  #stopped = false

  constructor(options: ServerOptions<Target>) {
    this.#options = options
    this.#operations = operationsOf(options.contract)
  }

  /** Takes a request of the client. */
  receive(request: Request): void {
    if (this.#stopped) return
    switch (request.kind) {
      case 'ask':
        void this.#answer(request.id, request.operation, request.given)
        return
      case 'watch':
        return this.#watch(request.id, request.operation, request.given)
      case 'seen':
        return this.#watches.get(request.id)?.latest.seen()
      case 'unwatch':
        return this.#end(request.id)
    }
  }

  /** How many requests are not answered yet. */
  get open(): number {
    return this.#asked + this.#watches.size
  }

  /** Ends all watches, those that are yet to be asked for, too. */
  endWatches(): void {
    this.#watchesEnded = true
    for (const id of this.#watches.keys()) this.#end(id)
  }

  /** Ends all watches; nothing is answered from here on. */
  stop(): void {
    this.#stopped = true
    this.endWatches()
  }

  async #answer(id: number, name: string, data: unknown): Promise<void> {
    this.#asked += 1
    try {
      const value = await this.#do(name, data)
      // A server that has stopped says nothing: the client asks the next one, which knows what was done.
      if (!this.#stopped) this.#options.post({ kind: 'answer', id, value })
    } catch (error) {
      if (!this.#stopped) this.#options.post({ kind: 'failed', id, error: toPortable(error) })
    } finally {
      this.#asked -= 1
    }
  }

  async #do(name: string, data: unknown): Promise<Json | undefined> {
    if (this.#asked > limits.tabQueue) {
      throw new PeerplaneError('overloaded', `${limits.tabQueue} requests of this client wait`)
    }
    const operation = this.#operationOf(name, 'ask')
    const given = operation.given.read(data, name)
    const answer = await (this.#method(name)(...given) as Promise<unknown>)
    if (operation.authority !== 'read') this.#offerCurrent()
    // The effect is shown before it is answered: nothing overtakes on the way to the client.
    await Promise.all([...this.#watches.values()].map(({ latest }) => latest.sent()))
    return operation.answer.write(answer)
  }

  #watch(id: number, name: string, data: unknown): void {
    if (this.#watchesEnded || this.#watches.has(id)) return
    try {
      if (this.#watches.size >= limits.tabQueue) {
        throw new PeerplaneError('overloaded', `${limits.tabQueue} watches of this client are open`)
      }
      const operation = this.#operationOf(name, 'watch')
      const given = operation.given.read(data, name)
      const latest = this.#latest(id, operation)
      this.#watches.set(id, {
        name,
        latest,
        stop: this.#method(name)(...given, latest.offer) as () => void,
      })
    } catch (error) {
      this.#options.post({ kind: 'failed', id, error: toPortable(error) })
    }
  }

  #latest(id: number, { updates, durable }: Watch<readonly unknown[], unknown>): Latest<unknown> {
    const { post, settled } = this.#options
    const form = updates()
    return new Latest<unknown>(
      (update) => post({ kind: 'update', id, value: form.write(update) }),
      durable ? settled : () => Promise.resolve(),
    )
  }

  #offerCurrent(): void {
    const current = this.#options.current as { readonly [name: string]: () => unknown } | undefined
    for (const { name, latest } of this.#watches.values()) {
      const update = current?.[name]?.()
      if (update !== undefined) latest.offer(update)
    }
  }

  #end(id: number): void {
    const running = this.#watches.get(id)
    if (!running) return
    this.#watches.delete(id)
    running.stop()
    running.latest.stop()
  }

  #operationOf<Kind extends AnyOperation['kind']>(
    name: string,
    kind: Kind,
  ): Extract<AnyOperation, { readonly kind: Kind }> {
    const operation = this.#operations.get(name)
    if (operation?.kind !== kind) {
      throw new PeerplaneError('outdated', `this version has no operation "${name.slice(0, 80)}"`)
    }
    if (ranks[operation.authority] > ranks[this.#options.authority]) {
      throw new PeerplaneError('not-allowed', `this client may not ask for "${name}"`)
    }
    return operation as Extract<AnyOperation, { readonly kind: Kind }>
  }

  #method(name: string): Method {
    const target = this.#options.target as { readonly [name: string]: Method }
    return target[name]!.bind(target)
  }
}

const ranks: Readonly<Record<Authority, number>> = { read: 0, write: 1, manage: 2 }
