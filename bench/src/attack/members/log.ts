import {
  encodeBatch,
  entityKey,
  makeBatch,
  makeCommit,
  markOf,
  signBatch,
  makeOpening,
  type Batch,
  type BatchId,
  type EntityKey,
  type Random,
  type DeviceId,
  type SessionId,
  type OpeningRecord,
  type Tip,
} from '@peerplane/core'

import type { HostileRun } from './frames.ts'
import type { Member } from './member.ts'

/** A session that a hostile member writes by hand. */
export class HandmadeSession {
  readonly session: SessionId
  readonly #member: Member
  readonly #random: Random
  readonly #first: BatchId
  readonly #opening: HostileRun['opening']

  private constructor(
    member: Member,
    random: Random,
    { session, first }: Pick<OpeningRecord, 'session' | 'first'>,
    opening: HostileRun['opening'],
  ) {
    this.#member = member
    this.#random = random
    this.#first = first
    this.#opening = opening
    this.session = session
  }

  static async open(member: Member, random: Random): Promise<HandmadeSession> {
    const { space, chain, device } = member
    const fields = { space: space.record.id, device, parents: [], admission: chain.at(-1)!.id }
    const opening = makeOpening({ ...fields, nonce: random.bytes(16) })
    return new HandmadeSession(member, random, opening, {
      bytes: opening.bytes,
      chain: chain.map((admission) => admission.bytes),
    })
  }

  get device(): DeviceId {
    return this.#member.device
  }

  /** A signed batch of one commit. */
  async batch(
    seq: number,
    previous: BatchId | undefined,
    content: Content | readonly Content[],
    ms = Date.now(),
  ): Promise<Batch> {
    const seed = this.#random.bytes(16)
    const header = {
      seq,
      deps: [],
      digest: new Uint8Array(0),
      time: { ms, counter: 0 },
    }
    const sections = [content].flat().map((each) => ({ modelVersion: 1, ...each }))
    const commit = makeCommit(this.session, header, sections, seed)
    const batch = makeBatch(previous ?? this.#first, [commit], seed)
    return signBatch(batch, this.#member.key)
  }

  /** The run of these batches, from commit 1 on if `from` is 1. */
  run(batches: readonly Batch[], from = 1): HostileRun {
    const run = { session: this.session, from, batches: batches.map(encodeBatch) }
    return from === 1 && this.#opening ? { ...run, opening: this.#opening } : run
  }
}

/** What a commit changes of one entity. */
export interface Content {
  readonly entity: EntityKey
  readonly body: Uint8Array
}

/** An entity that nobody declares. */
export const nowhere: EntityKey = entityKey('nowhere', 'n')

/** A tip that claims a batch which nobody has. */
export const lie = (session: SessionId, seq: number): Tip => ({
  session,
  seq,
  mark: markOf(session as string as BatchId),
})
