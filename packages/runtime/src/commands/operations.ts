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

/** Stands for the outcome of an operation that did not run and never will. */
const NEVER = new Uint8Array(0)

/**
 * The outcomes of the latest `limits.operations` operations that had an id. They are in the store, which is looked at when the first one is
 * asked for.
 */
export class Operations {
  readonly #store: Store
  readonly #running = new Map<string, Promise<Outcome | undefined>>()
  /** Ordinal numbers by operation id, the oldest first. */
  readonly #kept = new Map<string, number>()
  /** Operations whose outcomes are gone: nobody knows whether they ran. */
  readonly #gone = new Set<string>()
  #next = 0
  #loading: Promise<void> | undefined

  constructor(store: Store) {
    this.#store = store
  }

  /** The outcome of the operation, if it is pending; otherwise that of `start`, which is called at once and asks `recall` first. */
  async once(operationId: string, start: () => Promise<Outcome>): Promise<Outcome> {
    const same = this.#running.get(operationId)
    if (!same) return this.#track(operationId, start())
    const outcome = await same
    if (!outcome) throw withdrawn(operationId)
    return outcome
  }

  /**
   * The outcome that is remembered; `undefined` if there is none. Rejects with `withdrawn` if {@link Operations.settle} has said that the
   * operation did not run, and with `store-corrupt` if its outcome is gone from the store.
   */
  async recall(operationId: string): Promise<Outcome | undefined> {
    const value = await this.#stored(operationId)
    if (!value) return undefined
    if (value.length === 0) throw withdrawn(operationId)
    return decodeOutcome(value)
  }

  /** The outcome of the operation once it is no longer pending; `undefined` if it did not run, and from then on it never does. */
  async settle(operationId: string): Promise<Outcome | undefined> {
    for (;;) {
      const same = this.#running.get(operationId)
      if (!same) break
      // Ignored: one that fails has not run.
      await same.catch(() => undefined)
    }
    return this.#track(operationId, this.#settled(operationId))
  }

  /** Writes that remember an outcome and forget the oldest one; to be stored in one piece with the commit of the operation. */
  remember(operationId: string, outcome: Outcome): readonly Write[] {
    return this.#keep(operationId, encodeOutcome(outcome))
  }

  async #settled(operationId: string): Promise<Outcome | undefined> {
    const value = await this.#stored(operationId)
    if (value) return value.length > 0 ? decodeOutcome(value) : undefined
    await this.#store.write(this.#keep(operationId, NEVER), 'synced')
    return undefined
  }

  async #track<T extends Outcome | undefined>(
    operationId: string,
    outcome: Promise<T>,
  ): Promise<T> {
    this.#running.set(operationId, outcome)
    try {
      return await outcome
    } finally {
      this.#running.delete(operationId)
    }
  }

  async #stored(operationId: string): Promise<Uint8Array | undefined> {
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = undefined
      throw error
    })
    await this.#loading
    if (this.#gone.has(operationId)) {
      const what = `the outcome of the operation ${operationId} is gone`
      throw new PeerplaneError('store-corrupt', what)
    }
    return this.#kept.has(operationId) ? this.#store.get(operationKey(operationId)) : undefined
  }

  async #load(): Promise<void> {
    const entries = await this.#store.scan(operationOrderRange)
    for (const { value } of entries) {
      const [ordinal, id] = arrayField(decodeCanonical(value), 'operation order', 2)
      const operationId = textField(id, 'operation id', limits.entityNameBytes)
      this.#kept.set(operationId, wholeField(ordinal, 'operation ordinal'))
    }
    this.#next = ([...this.#kept.values()].at(-1) ?? -1) + 1
    // Each operation has two records, so one that is gone shows.
    if ((await this.#store.count(operationRange)) !== this.#kept.size) await this.#compare()
  }

  async #compare(): Promise<void> {
    const outcomes = await this.#store.scan(operationRange)
    const ids = new Set(outcomes.map(({ key }) => operationOfKey(key)))
    for (const operationId of this.#kept.keys()) {
      if (!ids.has(operationId)) this.#gone.add(operationId)
    }
    for (const operationId of ids) {
      if (!this.#kept.has(operationId)) this.#kept.set(operationId, this.#next++)
    }
  }

  #keep(operationId: string, value: Uint8Array): readonly Write[] {
    // It may be here already, from an attempt that could not be stored.
    const writes = this.#forgetOrder(operationId)
    const ordinal = this.#next++
    this.#kept.set(operationId, ordinal)
    writes.push(
      { key: operationKey(operationId), value },
      { key: operationOrderKey(ordinal), value: encodeCanonical([ordinal, operationId]) },
    )
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= limits.operations) break
      writes.push({ key: operationKey(oldest), value: undefined }, ...this.#forgetOrder(oldest))
    }
    return writes
  }

  #forgetOrder(operationId: string): Write[] {
    const ordinal = this.#kept.get(operationId)
    this.#kept.delete(operationId)
    return ordinal === undefined ? [] : [{ key: operationOrderKey(ordinal), value: undefined }]
  }
}

const withdrawn = (operationId: string): PeerplaneError =>
  new PeerplaneError(
    'withdrawn',
    `the operation ${operationId} had not run when its outcome was requested`,
  )

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
