import {
  prefixOf,
  type DeviceId,
  type EntityKey,
  type EntityState,
  type Random,
  type Store,
} from '@peerplane/core'

import type { Durability, Outcome } from '../contract/invocation.ts'
import type { Founding } from '../membership/founding.ts'
import type { HeldSpace } from '../space/held-space.ts'
import { decide, type CheckedInvocation, type DecidableInvocation } from './decide.ts'
import { createKeyedQueue } from './keyed-queue.ts'
import type { Operations } from './operations.ts'

/** How commands are to be settled. */
export interface SettleOptions {
  readonly durability: Durability
  readonly operationId: string | undefined
}

/** A decision that is in the log, or that an earlier run of the operation has put there. */
export interface Settled {
  readonly outcome: Outcome
  /** Resolves when the commit has the durability that was asked for; rejects when it was given up. */
  readonly durable: Promise<void>
  /** Entities that the commit changed. */
  readonly keys: readonly EntityKey[]
}

/** What settling works with. */
export interface SettlingOptions {
  readonly space: HeldSpace
  readonly store: Store
  readonly founding: Founding
  readonly operations: Operations
  readonly device: DeviceId
  readonly random: Random
}

/**
 * Decides commands on the states that this device holds and settles the decisions in its log. {@link decide} is pure: what it decides could be
 * settled elsewhere.
 */
export class Settling {
  readonly #options: SettlingOptions
  readonly #queue = createKeyedQueue<EntityKey>()

  constructor(options: SettlingOptions) {
    this.#options = options
  }

  /**
   * Settles commands as one commit, after all that were given before for one of their entities. `appended` is called in the turn in which the
   * states have changed, so that nobody sees a part of the commit. Rejects with what refused the commands; then nothing has changed.
   */
  async settle(
    invocations: readonly CheckedInvocation[],
    options: SettleOptions,
    appended: (keys: readonly EntityKey[]) => void,
  ): Promise<Settled> {
    const { space, operations } = this.#options
    const keys = [...new Set(invocations.map(({ key }) => key))]
    const { operationId } = options
    const recalled = operationId === undefined ? undefined : operations.recall(operationId)
    // Ignored: it is awaited below, unless the wait in the queue fails first.
    recalled?.catch(() => undefined)
    // Entered in the turn of the call, so that commands are decided in the order of their calls, whatever each has to wait for.
    const entry = this.#queue.enter(keys)
    for (const key of keys) space.entities.pin(key)
    try {
      await entry.reached
      const outcome = await recalled
      if (outcome) return { outcome, durable: Promise.resolve(), keys: [] }
      const decidable = await Promise.all(invocations.map(judged))
      for (;;) {
        await space.ready(keys)
        const losses = space.losses()
        const opened = await space.entities.openAll(keys).catch((error: unknown) => {
          if (space.losses() === losses) throw error
        })
        // These states may be wrong by now.
        if (!opened || space.losses() !== losses) continue
        // From here to the append nothing is awaited: no other command or commit comes in between.
        const settled = this.#append(
          decidable,
          new Map(keys.map((key, index) => [key, opened[index]!])),
          options,
        )
        if (settled.keys.length > 0) appended(settled.keys)
        return settled
      }
    } finally {
      for (const key of keys) space.entities.unpin(key)
      entry.leave()
    }
  }

  /** Decides and appends; the durability is still to come. */
  #append(
    invocations: readonly DecidableInvocation[],
    states: ReadonlyMap<EntityKey, EntityState>,
    { durability, operationId }: SettleOptions,
  ): Settled {
    const { space, founding, operations, device, random } = this.#options
    const { log, entities } = space
    for (const [key, state] of states) this.#merge(key, state)
    const origin = log.next()
    const modelVersions = new Map<EntityKey, number>()
    for (const key of states.keys()) modelVersions.set(key, entities.modelVersion(key))
    const context = { device, random }
    const decision = decide({ invocations, states, modelVersions, origin, context })
    const { replies, sections, revert } = decision
    if (sections.length === 0) {
      const outcome: Outcome = { commit: undefined, durability, replies }
      return { outcome, durable: this.#remember(outcome, operationId), keys: [] }
    }
    let appended: ReturnType<typeof log.commit>
    try {
      appended = log.commit(origin, sections, {
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
    const { id: commit, durable } = appended
    durable.then(
      () => founding.stored(),
      // Ignored: the caller gets the error, and the log reports it.
      () => undefined,
    )
    const prefix = prefixOf(commit)
    for (const { entity, body } of sections) entities.touch(entity, { origin, prefix, bytes: body })
    entities.commitFolded(origin.session, origin.seq)
    const keys = sections.map(({ entity }) => entity)
    return { outcome: { commit, durability, replies }, durable, keys }
  }

  /** Commits merges of the concurrent changes of an entity, until the next change can name all that are left. */
  #merge(key: EntityKey, state: EntityState): void {
    const { space, founding } = this.#options
    const { log, entities } = space
    while (state.merge) {
      const origin = log.next()
      const draft = state.merge(origin)
      if (!draft) return
      try {
        const body = draft.finish()!
        const sections = [{ entity: key, modelVersion: entities.modelVersion(key), body }]
        const { id, durable } = log.commit(origin, sections, {
          durability: 'local',
          alsoWrite: () => founding.writes(),
        })
        // Ignored: the log reports it.
        durable.then(() => founding.stored()).catch(() => undefined)
        entities.touch(key, { origin, prefix: prefixOf(id), bytes: body })
        entities.commitFolded(origin.session, origin.seq)
      } catch (error) {
        draft.revert()
        throw error
      }
    }
  }

  /** Remembers the outcome of an operation that changed nothing. */
  #remember(outcome: Outcome, operationId: string | undefined): Promise<void> {
    const { store, operations } = this.#options
    const writes = operationId ? operations.remember(operationId, outcome) : []
    return writes.length > 0 ? store.write(writes, 'synced') : Promise.resolve()
  }
}

/** Waits for the schema. */
const judged = async (invocation: CheckedInvocation): Promise<DecidableInvocation> => ({
  ...invocation,
  input: (await invocation.input).value,
})
