import {
  checkName,
  entityKey,
  limits,
  PeerplaneError,
  type DeviceId,
  type Entity,
  type EntityKey,
  type EntityState,
  type Random,
  type Scheduler,
  type Store,
} from '@peerplane/core'

import type { Durability, Invocation, InvokeOptions, Outcome } from '../contract/backend.ts'
import {
  checkInvocation,
  decide,
  type CheckedInvocation,
  type DecidableInvocation,
} from './decide.ts'
import type { Founding } from '../membership/founding.ts'
import type { HeldSpace } from '../space/held-space.ts'
import { createKeyedQueue } from './keyed-queue.ts'
import { createOperations } from './operations.ts'

/** Runs commands on the states that this device holds. */
export interface Invoker {
  invoke(invocations: readonly Invocation[], options: InvokeOptions): Promise<Outcome>
  /** See {@link Backend.outcome}. */
  outcome(operationId: string): Promise<Outcome | undefined>
  /** Commands that were accepted and are not durable yet. */
  pending(): number
  /** Of these, those on one entity. */
  readonly pendingOn: (key: EntityKey) => number
  /** Resolves when no command is pending: under steady work perhaps never. */
  idle(): Promise<void>
}

/** Everything the invoker works with. */
export interface InvokerDependencies {
  readonly declared: readonly Entity[]
  readonly space: HeldSpace
  readonly store: Store
  readonly founding: Founding
  readonly device: DeviceId
  readonly random: Random
  readonly scheduler: Scheduler
  /** States of these entities changed; resolves when that was shown. */
  readonly changed: (keys: readonly EntityKey[]) => Promise<void>
  /** Resolves when everybody who watches one of these entities has seen it. */
  readonly caughtUp: (keys: readonly EntityKey[]) => Promise<void>
  /** Fewer commands are pending on these entities. */
  readonly settled: (keys: readonly EntityKey[]) => void
}

interface RunOptions {
  readonly durability: Durability
  readonly operationId: string | undefined
}

/** A command that shows its effect. */
interface Appended {
  readonly outcome: Outcome
  readonly durable: Promise<void>
  readonly shown: Promise<void>
  readonly keys: readonly EntityKey[]
}

/** The invoker of one device. */
export function createInvoker(dependencies: InvokerDependencies): Invoker {
  const { declared, space, store, founding, device, random, scheduler } = dependencies
  const { changed, caughtUp, settled } = dependencies
  const entities = new Map(declared.map((each) => [each.type, each]))
  const pendingByKey = new Map<EntityKey, number>()
  const operations = createOperations(store)
  const queue = createKeyedQueue<EntityKey>()
  let pending = 0
  let idle: PromiseWithResolvers<void> | undefined

  const count = (keys: readonly EntityKey[], by: number): void => {
    for (const key of keys) {
      const next = (pendingByKey.get(key) ?? 0) + by
      if (next > 0) pendingByKey.set(key, next)
      else pendingByKey.delete(key)
    }
  }

  const prepare = async (
    invocations: readonly CheckedInvocation[],
    options: RunOptions,
  ): Promise<Appended> => {
    const keys = [...new Set(invocations.map(({ key }) => key))]
    const { operationId } = options
    const recalled = operationId === undefined ? undefined : operations.recall(operationId)
    recalled?.catch(() => undefined)
    // Entered in the turn of the call, so that commands are decided in the order of their calls, whatever each has to wait for.
    const turn = queue.enter(keys)
    for (const key of keys) space.entities.pin(key)
    try {
      await turn.reached
      const outcome = await recalled
      if (outcome)
        return { outcome, durable: Promise.resolve(), shown: Promise.resolve(), keys: [] }
      const decidable = await Promise.all(invocations.map(judged))
      for (;;) {
        const losses = space.losses()
        await space.folded()
        const opened = await space.entities.openAll(keys).catch((error: unknown) => {
          if (space.losses() === losses) throw error
        })
        // These states may be wrong by now.
        if (!opened || space.losses() !== losses) continue
        // From here to the append nothing is awaited: no other command or commit comes in between.
        const states = new Map(keys.map((key, index) => [key, opened[index]!]))
        return append(decidable, states, options)
      }
    } finally {
      for (const key of keys) space.entities.unpin(key)
      turn.leave()
    }
  }

  /** Decides, appends, and shows the effect; the durability is still to come. */
  const append = (
    invocations: readonly DecidableInvocation[],
    states: ReadonlyMap<EntityKey, EntityState>,
    { durability, operationId }: RunOptions,
  ): Appended => {
    const origin = space.log.next()
    const modelVersions = new Map<EntityKey, number>()
    for (const key of states.keys()) modelVersions.set(key, space.entities.modelVersion(key))
    const context = { device, random }
    const { replies, sections, revert } = decide({
      invocations,
      states,
      modelVersions,
      origin,
      context,
    })
    const keys = sections.map(({ entity }) => entity)
    if (sections.length === 0) {
      const outcome: Outcome = { commit: undefined, durability, replies }
      const writes = operationId ? operations.remember(operationId, outcome) : []
      const durable = writes.length > 0 ? store.write(writes, 'synced') : Promise.resolve()
      return { outcome, durable, shown: Promise.resolve(), keys }
    }
    let appended: ReturnType<typeof space.log.commit>
    try {
      appended = space.log.commit(origin, sections, {
        durability: durability === 'memory' ? 'local' : durability,
        alsoWrite: (commit) => [
          ...founding.writes(),
          ...(operationId ? operations.remember(operationId, { commit, durability, replies }) : []),
        ],
      })
    } catch (error) {
      revert()
      throw error
    }
    appended.durable.then(
      () => founding.stored(),
      () => undefined,
    )
    for (const { entity, body } of sections) space.entities.touch(entity, origin, body)
    space.entities.commitFolded(origin.session, origin.seq)
    count(keys, 1)
    return {
      outcome: { commit: appended.id, durability, replies },
      durable: appended.durable,
      // In the same turn: nobody is shown a part of the commit.
      shown: changed(keys),
      keys,
    }
  }

  const run = async (
    invocations: readonly CheckedInvocation[],
    options: RunOptions,
  ): Promise<Outcome> => {
    const { outcome, durable, shown, keys } = await prepare(invocations, options)
    let lost: Promise<never> | undefined
    durable.catch((error: unknown) => {
      lost = Promise.reject(error)
      lost.catch(() => undefined)
    })
    try {
      await Promise.all([options.durability === 'memory' ? undefined : durable, shown])
      // What the store refused before it was shown is not there, at any durability.
      await lost
    } finally {
      count(keys, -1)
      settled(keys)
    }
    return outcome
  }

  const accept = async (
    invocations: readonly Invocation[],
    { durability = 'synced', operationId }: InvokeOptions,
  ): Promise<Outcome> => {
    if (invocations.length === 0 || invocations.length > limits.sections) {
      throw new PeerplaneError('invalid-input', `a commit holds 1 to ${limits.sections} commands`)
    }
    if (operationId === undefined) return run(check(invocations), { durability, operationId })
    checkName(operationId, 'an operation id')
    // Until the store remembers the operation, a repetition would run it again.
    const least = durability === 'memory' ? 'local' : durability
    return operations.once(operationId, async () =>
      run(check(invocations), { durability: least, operationId }),
    )
  }
  const check = (invocations: readonly Invocation[]): CheckedInvocation[] =>
    invocations.map((each) => checkInvocation(entities, scheduler, each))

  return {
    invoke: async (invocations, options) => {
      if (pending >= limits.pendingCommands) {
        throw new PeerplaneError('overloaded', `${pending} commands are not durable yet`)
      }
      pending++
      try {
        const outcome = await accept(invocations, options)
        // Watches that began meanwhile too, and those of a command that ran earlier and is repeated.
        await caughtUp(invocations.map(({ type, id }) => entityKey(type, id)))
        return outcome
      } finally {
        pending--
        if (pending === 0) idle?.resolve()
      }
    },
    outcome: async (operationId) => {
      checkName(operationId, 'an operation id')
      return operations.settle(operationId)
    },
    pending: () => pending,
    pendingOn: (key) => pendingByKey.get(key) ?? 0,
    idle: async () => {
      if (pending > 0) await (idle ??= Promise.withResolvers<void>()).promise
    },
  }
}

/** Waits for the schema. */
const judged = async (invocation: CheckedInvocation): Promise<DecidableInvocation> => ({
  ...invocation,
  input: (await invocation.input).value,
})
