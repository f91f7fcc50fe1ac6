import {
  entityKey,
  tipAfter,
  WrittenSession,
  type Batch,
  type OpeningRecord,
  type Random,
  type Run,
  type Section,
  type Tip,
  type WrittenCommit,
  type WrittenOpening,
} from '@peerplane/core'

import type { TestDevice } from './device.ts'

/** A session that is written by hand, with what belongs to it. */
export class HandmadeSession {
  readonly batches: Batch[] = []
  readonly #session: WrittenSession
  readonly #random: Random
  readonly #clock: { now(): number }

  constructor(
    device: TestDevice,
    { random, clock }: { readonly random: Random; readonly clock: { now(): number } },
    opening?: WrittenOpening,
  ) {
    this.#session = new WrittenSession(device, { random }, opening)
    this.#random = random
    this.#clock = clock
  }

  get record(): OpeningRecord {
    return this.#session.record
  }

  /** How far it is written. */
  get tip(): Tip {
    return tipAfter(this.batches.at(-1)!)
  }

  /** Appends a signed batch of these commits. */
  async write(...commits: readonly WrittenCommit[]): Promise<Batch> {
    const batch = await this.made(this.batches.at(-1), commits)
    this.batches.push(batch)
    return batch
  }

  /** A signed batch that continues `before`, and is no part of the session yet. */
  made(before: Batch | undefined, given: readonly WrittenCommit[]): Promise<Batch> {
    const commits = given.length === 0 ? [{}] : given
    return this.#session.batch(
      before,
      commits.map((each) => ({ sections: [note()], ...each })),
      { random: this.#random, now: this.#clock.now() },
    )
  }

  /** The run of these batches, by default of all; with the opening if it begins at commit 1. */
  run(batches: readonly Batch[] = this.batches): Run {
    return this.#session.run(batches)
  }
}

/** A section that no application reads. */
export const note = (bytes = 3, name = 'note'): Section => ({
  entity: entityKey('conformance', name),
  modelVersion: 1,
  body: new Uint8Array(bytes),
})
