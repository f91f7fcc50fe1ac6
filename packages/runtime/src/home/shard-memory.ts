import {
  HASH_BYTES,
  hash,
  limits,
  PeerplaneError,
  prefixOf,
  splitEntityKey,
  toHex,
  utf8,
  type Body,
  type CommitId,
  type EntityKey,
  type EntityState,
  type Journal,
  type JournalEvent,
  type Lease,
  type SessionId,
  type StateModel,
  type Timestamp,
  type UnderLease,
} from '@peerplane/core'
import type { DeclaredModel } from '@peerplane/crdt-store'

import { decodeEvent, decodeOutcome, decodeSnapshot, type OutcomeRecord } from './records.ts'
import { originOf } from './strong-entity.ts'

/** A strong entity in the memory of its home. */
export interface HeldEntity {
  readonly key: EntityKey
  readonly model: StateModel
  readonly signature: string
  readonly state: EntityState
  /** The number of the last event, its hash and its time. */
  number: number
  last: Uint8Array
  time: Timestamp
}

/** What a home knows about the outbox of a caller. */
export interface HeldCaller {
  watermark: number
  /** The outcomes above the watermark. */
  readonly outcomes: Map<number, OutcomeRecord>
}

/** A read found that the lease no longer holds. */
export class Fenced extends Error {}

/** What a home has read from its journal under one lease, with the decisions that it has made since. */
export class ShardMemory {
  readonly #journal: Journal
  readonly #lease: Lease
  readonly #models: ReadonlyMap<string, DeclaredModel>
  readonly #entities = new Map<EntityKey, HeldEntity>()
  readonly #callers = new Map<SessionId, HeldCaller>()
  /** The position of the last event of the shard. */
  position = 0

  constructor(journal: Journal, lease: Lease, models: ReadonlyMap<string, DeclaredModel>) {
    this.#journal = journal
    this.#lease = lease
    this.#models = models
  }

  get lease(): Lease {
    return this.#lease
  }

  async start(): Promise<void> {
    this.position = valueOf(await this.#journal.position(this.#lease))
  }

  /** The entity, with all its events. Throws `Fenced`. */
  async entity(key: EntityKey): Promise<HeldEntity> {
    const held = this.#entities.get(key) ?? (await this.#load(key))
    // The last one is the one that was used last.
    this.#entities.delete(key)
    this.#entities.set(key, held)
    return held
  }

  /** The outbox, with all its outcomes. Throws `Fenced`. */
  async caller(outbox: SessionId): Promise<HeldCaller> {
    const held = this.#callers.get(outbox) ?? (await this.#loadCaller(outbox))
    this.#callers.delete(outbox)
    this.#callers.set(outbox, held)
    return held
  }

  /** Forgets what was not used for the longest time. Called between groups. */
  trim(): void {
    for (const [key, { state }] of this.#entities) {
      if (this.#entities.size <= limits.homeEntities) break
      state.close()
      this.#entities.delete(key)
    }
    for (const outbox of this.#callers.keys()) {
      if (this.#callers.size <= limits.homeCallers) break
      this.#callers.delete(outbox)
    }
  }

  /** Forgets everything. */
  close(): void {
    for (const { state } of this.#entities.values()) state.close()
    this.#entities.clear()
    this.#callers.clear()
  }

  async #load(key: EntityKey): Promise<HeldEntity> {
    const { type } = splitEntityKey(key)
    const declared = this.#models.get(type)
    if (!declared) throw new PeerplaneError('unknown-entity', `no entity "${type}" was declared`)
    const [model, { signature }] = [await declared.load(), declared]
    const stored = valueOf(await this.#journal.snapshot(this.#lease, key))
    const snapshot = stored && decodeSnapshot(stored.record)
    const isUsable = snapshot?.signature === signature
    const held: HeldEntity = {
      key,
      model,
      signature,
      state: await model.open(isUsable ? snapshot.state : undefined, key),
      number: isUsable ? stored!.number : 0,
      last: isUsable ? snapshot.last : new Uint8Array(HASH_BYTES),
      time: isUsable ? snapshot.time : { ms: 0, counter: 0 },
    }
    for (;;) {
      const events = valueOf(await this.#journal.events(this.#lease, key, held.number))
      if (events.length === 0) break
      held.state.fold(events.map((event) => this.#take(held, event)))
    }
    const { problem } = held.state
    if (problem !== undefined) throw new PeerplaneError('unreadable', problem)
    this.#entities.set(key, held)
    return held
  }

  #take(held: HeldEntity, { number, record }: JournalEvent): Body {
    const { time, body, modelVersion } = decodeEvent(record)
    if (modelVersion > held.model.version) {
      throw new PeerplaneError('needs-update', `a newer version has written ${held.key}`)
    }
    if (number !== held.number + 1) {
      throw new PeerplaneError(
        'store-corrupt',
        `the journal lacks event ${held.number + 1} of ${held.key}`,
      )
    }
    held.number = number
    held.time = time
    held.last = hashOf(held.key, record)
    return this.bodyOf(held, body)
  }

  /** The last event of an entity as a section body. */
  bodyOf({ key, number, time, last }: HeldEntity, bytes: Uint8Array): Body {
    const origin = originOf(this.#journal.id, key, number, time)
    return { origin, prefix: prefixOf(toHex(last) as CommitId), bytes }
  }

  async #loadCaller(outbox: SessionId): Promise<HeldCaller> {
    const { watermark, outcomes } = valueOf(await this.#journal.caller(this.#lease, outbox))
    const read = outcomes.map(({ n, record }) => [n, decodeOutcome(record)] as const)
    const held = { watermark, outcomes: new Map(read) }
    this.#callers.set(outbox, held)
    return held
  }
}

/** The hash of an event; its record holds the hash of the event before. */
export const hashOf = (entity: EntityKey, record: Uint8Array): Uint8Array =>
  hash('strong-event', utf8(entity), record)

function valueOf<T>(read: UnderLease<T>): T {
  if (read.outcome === 'fenced') throw new Fenced('the lease of the shard no longer holds')
  return read.value
}
