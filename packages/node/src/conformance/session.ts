import {
  encodeBatch,
  entityKey,
  lastSeq,
  makeBatch,
  makeCommit,
  makeOpening,
  markOf,
  signBatch,
  type Batch,
  type BatchId,
  type Commit,
  type Dot,
  type Extensions,
  type OpeningRecord,
  type Random,
  type Run,
  type Section,
  type Tip,
  type Timestamp,
} from '@peerplane/core'

import type { TestDevice } from './device.ts'

/** What a commit of a test says; everything has a default. */
export interface Written {
  readonly sections?: readonly Section[]
  readonly deps?: readonly Dot[]
  readonly digest?: Uint8Array
  readonly time?: Timestamp
  readonly extensions?: Extensions
}

/** What a session begins with. */
export interface Beginning {
  readonly parents?: readonly Tip[]
  readonly extensions?: Extensions
  /** Default that of its device. */
  readonly admission?: Uint8Array
  /** What its id begins with, in hexadecimal digits. */
  readonly path?: string
}

const NOTHING = new Uint8Array(0)

/** A session that is written by hand, so that it can also break rules. */
export class HandmadeSession {
  record: OpeningRecord
  readonly batches: Batch[] = []
  readonly #device: TestDevice
  readonly #random: Random
  readonly #now: () => number

  constructor(
    device: TestDevice,
    { random, clock }: { readonly random: Random; readonly clock: { now(): number } },
    { parents = [], extensions, admission, path = '' }: Beginning = {},
  ) {
    this.#device = device
    this.#random = random
    this.#now = () => clock.now()
    const { grant, id } = device.chain.at(-1)!
    const fields = {
      space: grant.space,
      device: device.id,
      parents,
      admission: admission ?? id,
      ...(extensions && { extensions }),
    }
    do this.record = makeOpening({ ...fields, nonce: random.bytes(16) })
    while (!this.record.session.startsWith(path))
  }

  /** How far it is written. */
  get tip(): Tip {
    const last = this.batches.at(-1)!
    return { session: this.record.session, seq: lastSeq(last), mark: markOf(last.id) }
  }

  /** Appends a signed batch of these commits. */
  async write(...commits: readonly Written[]): Promise<Batch> {
    const batch = await this.made(this.batches.at(-1), commits)
    this.batches.push(batch)
    return batch
  }

  /** A signed batch that continues `before`, and is no part of the session yet. */
  async made(before: Batch | undefined, given: readonly Written[]): Promise<Batch> {
    const seed = this.#random.bytes(16)
    const first = before ? lastSeq(before) + 1 : 1
    const ms = this.#now()
    const commits = (given.length === 0 ? [{}] : given).map((each: Written, index): Commit => {
      const { sections = [note()], deps = [], digest = NOTHING, time, extensions } = each
      const fields = { seq: first + index, deps, digest, time: time ?? { ms, counter: index } }
      const header = extensions ? { ...fields, extensions } : fields
      return makeCommit(this.record.session, header, sections, seed)
    })
    const previous: BatchId = before?.id ?? this.record.first
    return signBatch(makeBatch(previous, commits as [Commit, ...Commit[]], seed), this.#device.key)
  }

  /** The run of these batches, by default of all; with the opening if it begins at commit 1. */
  run(batches: readonly Batch[] = this.batches): Run {
    const from = batches[0]?.commits[0]?.header.seq ?? 1
    const chain = this.#device.chain.map(({ bytes }) => bytes)
    return {
      session: this.record.session,
      from,
      opening: from === 1 ? { bytes: this.record.bytes, chain } : undefined,
      batches: batches.map(encodeBatch),
    }
  }
}

/** A section that no application reads. */
export const note = (bytes = 3, name = 'note'): Section => ({
  entity: entityKey('conformance', name),
  modelVersion: 1,
  body: new Uint8Array(bytes),
})
