import {
  encodeBatch,
  lastSeq,
  makeBatch,
  makeCommit,
  makeOpening,
  markOf,
  signBatch,
  toHex,
  type Admission,
  type Batch,
  type Commit,
  type DeviceId,
  type Dot,
  type Extensions,
  type OpeningRecord,
  type Random,
  type Run,
  type Section,
  type SigningKey,
  type Tip,
  type Timestamp,
} from '@peerplane/core'

/** A member that signs what it likes. */
export interface Signer {
  readonly key: SigningKey
  readonly chain: readonly Admission[]
}

/** What a commit says; everything has a default. */
export interface WrittenCommit {
  readonly sections?: readonly Section[]
  readonly deps?: readonly Dot[]
  readonly digest?: Uint8Array
  readonly time?: Timestamp
  readonly extensions?: Extensions
}

/** What a session begins with; by default it is one of its author. */
export interface OpeningFields {
  readonly parents?: readonly Tip[]
  readonly extensions?: Extensions
  readonly device?: DeviceId
  readonly admission?: Uint8Array
}

/** What writing takes from outside. */
export interface Tools {
  readonly random: Random
  readonly now: number
}

const NOTHING = new Uint8Array(0)

/** The device that holds a key. */
export const deviceOf = ({ publicKey }: SigningKey): DeviceId => toHex(publicKey) as DeviceId

/** A session that is written by hand, so that it can break every rule. */
export class WrittenSession {
  readonly record: OpeningRecord
  readonly author: Signer

  constructor(
    author: Signer,
    { random }: Tools,
    { parents = [], extensions, device, admission }: OpeningFields = {},
  ) {
    const { grant, id } = author.chain.at(-1)!
    this.author = author
    this.record = makeOpening({
      space: grant.space,
      device: device ?? deviceOf(author.key),
      parents,
      admission: admission ?? id,
      nonce: random.bytes(16),
      ...(extensions && { extensions }),
    })
  }

  /** A signed batch after `before`, or the first one. */
  async batch(
    before: Batch | undefined,
    written: readonly WrittenCommit[],
    { random, now }: Tools,
  ): Promise<Batch> {
    const seed = random.bytes(16)
    const first = before ? lastSeq(before) + 1 : 1
    const commits = written.map((each, index): Commit => {
      const { sections = [], deps = [], digest = NOTHING, time, extensions } = each
      const header = { seq: first + index, deps, digest, time: time ?? { ms: now, counter: index } }
      const fields = extensions ? { ...header, extensions } : header
      return makeCommit(this.record.session, fields, sections, seed)
    })
    const previous = before?.id ?? this.record.first
    return signBatch(makeBatch(previous, commits as [Commit, ...Commit[]], seed), this.author.key)
  }

  /** The run of these batches; with the opening if it begins at commit 1. */
  run(batches: readonly Batch[]): Run {
    const from = batches[0]!.commits[0]!.header.seq
    const chain = this.author.chain.map(({ bytes }) => bytes)
    return {
      session: this.record.session,
      from,
      opening: from === 1 ? { bytes: this.record.bytes, chain } : undefined,
      batches: batches.map(encodeBatch),
    }
  }
}

/** The tip of a session that ends with a batch. */
export const tipOf = (batch: Batch): Tip => ({
  session: batch.session,
  seq: lastSeq(batch),
  mark: markOf(batch.id),
})
