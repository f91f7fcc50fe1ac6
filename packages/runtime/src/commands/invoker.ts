import {
  checkName,
  entityKey,
  limits,
  PeerplaneError,
  type DeviceId,
  type Entity,
  type EntityKey,
  type Random,
  type Scheduler,
  type Store,
} from '@peerplane/core'

import type { Invocation, InvokeOptions, Outcome } from '../contract/invocation.ts'
import type { Founding } from '../membership/founding.ts'
import type { HeldSpace } from '../space/held-space.ts'
import { checkInvocation, type CheckedInvocation } from './decide.ts'
import { Operations } from './operations.ts'
import { Settling, type SettleOptions } from './settling.ts'

/** What the invoker works with. */
export interface InvokerOptions {
  readonly declared: readonly Entity[]
  readonly space: HeldSpace
  readonly store: Store
  readonly founding: Founding
  readonly device: DeviceId
  readonly random: Random
  readonly scheduler: Scheduler
  /** See {@link Invoker.undone}: as many as openings before this one have counted. */
  readonly undone: number
  /** States of these entities changed; resolves when that was shown. */
  readonly changed: (keys: readonly EntityKey[]) => Promise<void>
  /** Resolves when everybody who watches one of these entities has seen it. */
  readonly caughtUp: (keys: readonly EntityKey[]) => Promise<void>
  /** Fewer commands are pending on these entities. */
  readonly settled: (keys: readonly EntityKey[]) => void
}

/** Runs commands on the states that this device holds: each once, within the bounds, up to the durability that was asked for. */
export class Invoker {
  readonly #options: InvokerOptions
  readonly #entities: ReadonlyMap<string, Entity>
  readonly #operations: Operations
  readonly #settling: Settling
  /** How many commands wait for their durability, by entity. */
  readonly #pendingByKey = new Map<EntityKey, number>()
  #pending = 0
  #undone: number
  #idle: PromiseWithResolvers<void> | undefined

  constructor(options: InvokerOptions) {
    this.#options = options
    this.#undone = options.undone
    this.#entities = new Map(options.declared.map((each) => [each.type, each]))
    this.#operations = new Operations(options.store)
    this.#settling = new Settling({ ...options, operations: this.#operations })
  }

  /** See {@link Backend.invoke}. */
  async invoke(invocations: readonly Invocation[], options: InvokeOptions): Promise<Outcome> {
    return this.#counted(async () => {
      const outcome = await this.#once(invocations, options)
      // Watches that began meanwhile too, and those of a command that ran earlier and is repeated.
      await this.#options.caughtUp(invocations.map(({ type, id }) => entityKey(type, id)))
      return outcome
    })
  }

  async #counted<T>(task: () => Promise<T>): Promise<T> {
    if (this.#pending >= limits.pendingCommands) {
      throw new PeerplaneError('overloaded', `${this.#pending} commands are not durable yet`)
    }
    this.#pending++
    try {
      return await task()
    } finally {
      this.#pending--
      if (this.#pending === 0) this.#idle?.resolve()
    }
  }

  /** Runs commands of this device itself as one commit. */
  run(invocations: readonly CheckedInvocation[]): Promise<Outcome> {
    return this.#counted(() => this.#run(invocations, OF_DEVICE))
  }

  /** See {@link Backend.outcome}. */
  async outcome(operationId: string): Promise<Outcome | undefined> {
    return this.#operations.settle(checkName(operationId, 'an operation id'))
  }

  /** Commands that were accepted and are not durable yet. */
  pending(): number {
    return this.#pending
  }

  /** Of these, those on one entity. */
  pendingOn(key: EntityKey): number {
    return this.#pendingByKey.get(key) ?? 0
  }

  /** Commands that were acknowledged before the store refused them. */
  undone(): number {
    return this.#undone
  }

  /** Resolves when no command is pending: under steady work perhaps never. */
  async idle(): Promise<void> {
    if (this.#pending > 0) await (this.#idle ??= Promise.withResolvers<void>()).promise
  }

  async #once(
    invocations: readonly Invocation[],
    { durability = 'synced', operationId }: InvokeOptions,
  ): Promise<Outcome> {
    if (invocations.length === 0 || invocations.length > limits.sections) {
      throw new PeerplaneError('invalid-input', `a commit holds 1 to ${limits.sections} commands`)
    }
    if (operationId === undefined) {
      return this.#run(this.#check(invocations), { durability, operationId })
    }
    checkName(operationId, 'an operation id')
    // Until the store remembers the operation, a repetition would run it again.
    const least = durability === 'memory' ? 'local' : durability
    return this.#operations.once(operationId, async () =>
      this.#run(this.#check(invocations), { durability: least, operationId }),
    )
  }

  #check(invocations: readonly Invocation[]): CheckedInvocation[] {
    const { scheduler } = this.#options
    return invocations.map((each) => checkInvocation(this.#entities, scheduler, each))
  }

  async #run(invocations: readonly CheckedInvocation[], options: SettleOptions): Promise<Outcome> {
    let shown: Promise<void> | undefined
    const { outcome, durable, keys } = await this.#settling.settle(
      invocations,
      options,
      (changed) => {
        this.#count(changed, 1)
        shown = this.#options.changed(changed)
      },
    )
    let lost: Promise<never> | undefined
    let isAcknowledged = false
    durable.catch((error: unknown) => {
      if (isAcknowledged) this.#undone += invocations.length
      lost = Promise.reject(error)
      // Ignored: it is awaited below, or the caller asked for less.
      lost.catch(() => undefined)
    })
    try {
      await Promise.all([options.durability === 'memory' ? undefined : durable, shown])
      // What the store refuses from here on was acknowledged; what it refused before is not there, at any durability.
      isAcknowledged = true
      await lost
    } finally {
      this.#count(keys, -1)
      this.#options.settled(keys)
    }
    return outcome
  }

  #count(keys: readonly EntityKey[], by: number): void {
    for (const key of keys) {
      const next = this.pendingOn(key) + by
      if (next > 0) this.#pendingByKey.set(key, next)
      else this.#pendingByKey.delete(key)
    }
  }
}

const OF_DEVICE: SettleOptions = { durability: 'local', operationId: undefined }
