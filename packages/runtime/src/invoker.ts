import {
  array,
  bytes,
  decodeCanonical,
  encodeCanonical,
  fromHex,
  limits,
  PeerplaneError,
  text,
  toHex,
  whole,
  type CommitId,
  type DeviceId,
  type Entity,
  type EntityKey,
  type EntityState,
  type Json,
  type Random,
  type Store,
  type Value,
} from '@peerplane/core'

import type { Durability, Invocation, InvokeOptions, Outcome } from './backend.ts'
import { checkInvocation, decide, type CheckedInvocation } from './commands.ts'
import type { HeldSpace } from './held-space.ts'
import { operationKey } from './keys.ts'

/** Runs commands on the states that this device holds. */
export interface Invoker {
  invoke(invocations: readonly Invocation[], options: InvokeOptions): Promise<Outcome>
  /** Commands that were accepted and are not durable yet. */
  pending(): number
  /** Of these, those on one entity. */
  pendingOn(key: EntityKey): number
}

/** Everything the invoker works with. */
export interface InvokerDependencies {
  readonly declared: readonly Entity[]
  readonly space: HeldSpace
  readonly store: Store
  readonly device: DeviceId
  readonly random: Random
  /** States of these entities changed, or the number of their pending commands. */
  readonly changed: (keys: readonly EntityKey[]) => void
}

/** The invoker of one device. */
export function createInvoker(dependencies: InvokerDependencies): Invoker {
  const { declared, space, store, device, random, changed } = dependencies
  const entities = new Map(declared.map((each) => [each.type, each]))
  const pendingByKey = new Map<EntityKey, number>()
  const operations = new Map<string, Promise<Outcome>>()
  let pending = 0

  const count = (keys: readonly EntityKey[], by: number): void => {
    pending += by
    for (const key of keys) {
      const next = (pendingByKey.get(key) ?? 0) + by
      if (next > 0) pendingByKey.set(key, next)
      else pendingByKey.delete(key)
    }
  }

  const run = async (
    invocations: readonly CheckedInvocation[],
    durability: Durability,
    operationId: string | undefined,
  ): Promise<Outcome> => {
    const states = await loadStates(invocations)
    const origin = space.log.next()
    const modelVersions = new Map<EntityKey, number>()
    for (const key of states.keys()) modelVersions.set(key, space.entities.modelVersion(key))
    const decision = decide({
      invocations,
      states,
      modelVersions,
      origin,
      context: { device, random },
    })
    const { replies, sections } = decision
    if (sections.length === 0) {
      return remember(operationId, { commit: undefined, durability, replies })
    }
    const { id, durable } = space.log.commit(origin, sections, {
      durability,
      alsoWrite: operationId
        ? (commit) => [operationRecord(operationId, { commit, durability, replies })]
        : undefined,
    })
    for (const key of decision.changed) space.entities.touch(key, origin)
    space.entities.commitFolded(origin.session, origin.seq)
    count(decision.changed, 1)
    changed(decision.changed)
    try {
      await durable
    } finally {
      count(decision.changed, -1)
      changed(decision.changed)
    }
    return { commit: id, durability, replies }
  }

  const loadStates = async (
    invocations: readonly CheckedInvocation[],
  ): Promise<Map<EntityKey, EntityState>> => {
    const keys = [...new Set(invocations.map(({ key }) => key))]
    await space.folded()
    return new Map(
      await Promise.all(keys.map(async (key) => [key, await space.entities.open(key)] as const)),
    )
  }

  const remember = async (operationId: string | undefined, outcome: Outcome): Promise<Outcome> => {
    if (operationId) await store.write([operationRecord(operationId, outcome)], 'synced')
    return outcome
  }

  const once = async (operationId: string, start: () => Promise<Outcome>): Promise<Outcome> => {
    const running = operations.get(operationId)
    if (running) return running
    const recalled = (async () => {
      const stored = await store.get(operationKey(operationId))
      return stored ? decodeOutcome(stored) : start()
    })()
    operations.set(operationId, recalled)
    try {
      return await recalled
    } finally {
      operations.delete(operationId)
    }
  }

  return {
    invoke: async (invocations, { durability = 'synced', operationId }) => {
      if (pending >= limits.pendingCommands) {
        throw new PeerplaneError('overloaded', `${pending} commands are not durable yet`)
      }
      if (invocations.length === 0 || invocations.length > limits.sections) {
        throw new PeerplaneError('invalid-input', `a commit holds 1 to ${limits.sections} commands`)
      }
      const checked = await Promise.all(invocations.map((each) => checkInvocation(entities, each)))
      const start = (): Promise<Outcome> => run(checked, durability, operationId)
      return operationId ? once(checkOperationId(operationId), start) : start()
    },
    pending: () => pending,
    pendingOn: (key) => pendingByKey.get(key) ?? 0,
  }
}

function checkOperationId(operationId: string): string {
  if (operationId.length > limits.entityNameBytes) {
    throw new PeerplaneError('invalid-input', 'the operation id is too long')
  }
  return operationId
}

const operationRecord = (
  operationId: string,
  { commit, durability, replies }: Outcome,
): { key: Uint8Array; value: Uint8Array } => ({
  key: operationKey(operationId),
  value: encodeCanonical([
    commit ? fromHex(commit) : new Uint8Array(0),
    durability,
    replies.map((reply): Value => (reply === undefined ? [] : [reply])),
  ]),
})

function decodeOutcome(stored: Uint8Array): Outcome {
  const fields = array(decodeCanonical(stored), 'operation', 3)
  const commit = bytes(fields[0], 'operation.commit')
  return {
    commit: commit.length > 0 ? (toHex(commit) as CommitId) : undefined,
    durability: text(fields[1], 'operation.durability', 16) as Durability,
    replies: array(fields[2], 'operation.replies').map(
      (reply) => array(reply, 'operation.reply')[0] as Json | undefined,
    ),
  }
}
