import {
  arrayField,
  bytesField,
  decodeCanonical,
  encodeCanonical,
  fromHex,
  limits,
  PeerplaneError,
  textField,
  toHex,
  wholeField,
  type CommitId,
  type Json,
  type Store,
  type Value,
  type Write,
} from '@peerplane/core'

import type { Durability, Outcome } from '../contract/invocation.ts'
import {
  operationKey,
  operationOfKey,
  operationOrderKey,
  operationOrderRange,
  operationRange,
} from '../keys.ts'

/** The outcomes of the latest `limits.operations` operations that had an id. */
export interface Operations {
  /** The outcome of the operation, if it is pending; otherwise that of `start`, which is called at once and asks `recall` first. */
  once(operationId: string, start: () => Promise<Outcome>): Promise<Outcome>
  /**
   * The outcome that is remembered; `undefined` if there is none. Rejects with `withdrawn` if {@link Operations.settle} has said that the
   * operation did not run, and with `store-corrupt` if its outcome is gone from the store.
   */
  recall(operationId: string): Promise<Outcome | undefined>
  /** The outcome of the operation once it is no longer pending; `undefined` if it did not run, and from then on it never does. */
  settle(operationId: string): Promise<Outcome | undefined>
  /** Writes that remember an outcome and forget the oldest one; to be stored in one piece with the commit of the operation. */
  remember(operationId: string, outcome: Outcome): readonly Write[]
}

/** Stands for the outcome of an operation that did not run and never will. */
const NEVER = new Uint8Array(0)

/** The operations that `store` holds; they are looked at when the first one is asked for. */
export function createOperations(store: Store): Operations {
  const running = new Map<string, Promise<Outcome | undefined>>()
  /** Ordinal numbers by operation id, the oldest first. */
  const kept = new Map<string, number>()
  /** Operations whose outcomes are gone: nobody knows whether they ran. */
  const gone = new Set<string>()
  let next = 0
  let loading: Promise<void> | undefined

  const load = async (): Promise<void> => {
    const entries = await store.scan(operationOrderRange)
    for (const { value } of entries) {
      const [ordinal, id] = arrayField(decodeCanonical(value), 'operation order', 2)
      const operationId = textField(id, 'operation id', limits.entityNameBytes)
      kept.set(operationId, wholeField(ordinal, 'operation ordinal'))
    }
    next = ([...kept.values()].at(-1) ?? -1) + 1
    // Each operation has two records, so one that is gone shows.
    if ((await store.count(operationRange)) !== kept.size) await compare()
  }
  const compare = async (): Promise<void> => {
    const outcomes = await store.scan(operationRange)
    const ids = new Set(outcomes.map(({ key }) => operationOfKey(key)))
    for (const operationId of kept.keys()) if (!ids.has(operationId)) gone.add(operationId)
    for (const operationId of ids) if (!kept.has(operationId)) kept.set(operationId, next++)
  }
  const loaded = (): Promise<void> => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined
      throw error
    })
    return loading
  }
  const forgetOrder = (operationId: string): Write[] => {
    const ordinal = kept.get(operationId)
    kept.delete(operationId)
    return ordinal === undefined ? [] : [{ key: operationOrderKey(ordinal), value: undefined }]
  }

  const keep = (operationId: string, value: Uint8Array): readonly Write[] => {
    // It may be here already, from an attempt that could not be stored.
    const writes = forgetOrder(operationId)
    const ordinal = next++
    kept.set(operationId, ordinal)
    writes.push(
      { key: operationKey(operationId), value },
      { key: operationOrderKey(ordinal), value: encodeCanonical([ordinal, operationId]) },
    )
    for (const oldest of kept.keys()) {
      if (kept.size <= limits.operations) break
      writes.push({ key: operationKey(oldest), value: undefined }, ...forgetOrder(oldest))
    }
    return writes
  }
  const stored = async (operationId: string): Promise<Uint8Array | undefined> => {
    await loaded()
    if (gone.has(operationId)) {
      const what = `the outcome of the operation ${operationId} is gone`
      throw new PeerplaneError('store-corrupt', what)
    }
    return kept.has(operationId) ? store.get(operationKey(operationId)) : undefined
  }
  const track = async <T extends Outcome | undefined>(
    operationId: string,
    outcome: Promise<T>,
  ): Promise<T> => {
    running.set(operationId, outcome)
    try {
      return await outcome
    } finally {
      running.delete(operationId)
    }
  }
  const withdrawn = (operationId: string): PeerplaneError =>
    new PeerplaneError(
      'withdrawn',
      `the operation ${operationId} did not run when it was asked for`,
    )

  return {
    once: async (operationId, start) => {
      const same = running.get(operationId)
      if (!same) return track(operationId, start())
      const outcome = await same
      if (!outcome) throw withdrawn(operationId)
      return outcome
    },
    recall: async (operationId) => {
      const value = await stored(operationId)
      if (!value) return undefined
      if (value.length === 0) throw withdrawn(operationId)
      return decodeOutcome(value)
    },
    settle: async (operationId) => {
      for (;;) {
        const same = running.get(operationId)
        if (!same) break
        // Ignored: one that fails has not run.
        await same.catch(() => undefined)
      }
      const settling = async (): Promise<Outcome | undefined> => {
        const value = await stored(operationId)
        if (value) return value.length > 0 ? decodeOutcome(value) : undefined
        await store.write(keep(operationId, NEVER), 'synced')
        return undefined
      }
      return track(operationId, settling())
    },
    remember: (operationId, outcome) => keep(operationId, encodeOutcome(outcome)),
  }
}

const encodeOutcome = ({ commit, durability, replies }: Outcome): Uint8Array =>
  encodeCanonical([
    commit ? fromHex(commit) : new Uint8Array(0),
    durability,
    replies.map((reply): Value => (reply === undefined ? [] : [reply])),
  ])

function decodeOutcome(stored: Uint8Array): Outcome {
  const fields = arrayField(decodeCanonical(stored), 'operation', 3)
  const commit = bytesField(fields[0], 'operation.commit')
  return {
    commit: commit.length > 0 ? (toHex(commit) as CommitId) : undefined,
    durability: textField(fields[1], 'operation.durability', 16) as Durability,
    replies: arrayField(fields[2], 'operation.replies').map(
      (reply) => arrayField(reply, 'operation.reply')[0] as Json | undefined,
    ),
  }
}
