import {
  array,
  bytes,
  decodeCanonical,
  encodeCanonical,
  fromHex,
  limits,
  text,
  toHex,
  whole,
  type CommitId,
  type Json,
  type Store,
  type Value,
  type Write,
} from '@peerplane/core'

import type { Durability, Outcome } from './backend.ts'
import { operationKey, operationOrderKey, operationOrderRange } from './keys.ts'

/** Outcomes of the latest `limits.operations` operations that had an id. */
export interface Operations {
  /** The promise of the operation, if it is under way; otherwise that of `start`, which is called at once and asks `recall` first. */
  once(operationId: string, start: () => Promise<Outcome>): Promise<Outcome>
  /** The outcome that is remembered; `undefined` if there is none. */
  recall(operationId: string): Promise<Outcome | undefined>
  /** Writes that remember an outcome and forget the oldest one; to be stored in one piece with the commit of the operation. */
  remember(operationId: string, outcome: Outcome): readonly Write[]
}

/** The operations that `store` holds; they are looked at when the first one is asked for. */
export function createOperations(store: Store): Operations {
  const running = new Map<string, Promise<Outcome>>()
  /** Ordinal numbers by operation id, the oldest first. */
  const kept = new Map<string, number>()
  let next = 0
  let loading: Promise<void> | undefined

  const load = async (): Promise<void> => {
    const entries = await store.scan(operationOrderRange)
    for (const { value } of entries) {
      const [ordinal, id] = array(decodeCanonical(value), 'operation order', 2)
      const operationId = text(id, 'operation id', limits.entityNameBytes)
      kept.set(operationId, whole(ordinal, 'operation ordinal'))
    }
    next = ([...kept.values()].at(-1) ?? -1) + 1
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

  return {
    once: async (operationId, start) => {
      const same = running.get(operationId)
      if (same) return same
      const outcome = start()
      running.set(operationId, outcome)
      try {
        return await outcome
      } finally {
        running.delete(operationId)
      }
    },
    recall: async (operationId) => {
      await loaded()
      if (!kept.has(operationId)) return undefined
      const stored = await store.get(operationKey(operationId))
      return stored && decodeOutcome(stored)
    },
    remember: (operationId, outcome) => {
      // It may be here already, from an attempt that could not be stored.
      const writes = forgetOrder(operationId)
      const ordinal = next++
      kept.set(operationId, ordinal)
      writes.push(
        { key: operationKey(operationId), value: encodeOutcome(outcome) },
        { key: operationOrderKey(ordinal), value: encodeCanonical([ordinal, operationId]) },
      )
      for (const oldest of kept.keys()) {
        if (kept.size <= limits.operations) break
        writes.push({ key: operationKey(oldest), value: undefined }, ...forgetOrder(oldest))
      }
      return writes
    },
  }
}

const encodeOutcome = ({ commit, durability, replies }: Outcome): Uint8Array =>
  encodeCanonical([
    commit ? fromHex(commit) : new Uint8Array(0),
    durability,
    replies.map((reply): Value => (reply === undefined ? [] : [reply])),
  ])

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
