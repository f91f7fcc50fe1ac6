import { encodeBatch, lastSeq, makeBatch, signBatch, type Batch } from './batch.ts'
import { makeCommit, type Commit, type Dot, type Section } from './commit.ts'
import type { Extensions } from './extensions.ts'
import { markOf, type Tip } from './tip.ts'
import { makeOpening, type OpeningRecord } from './opening.ts'
import type { Timestamp } from '../hybrid-clock.ts'
import type { DeviceId } from '../ids.ts'
import type { SigningKey } from '../ports/crypto.ts'
import type { Random } from '../ports/random.ts'
import type { Run } from '../ports/replica.ts'
import type { Admission } from '../trust/admission.ts'
import { toHex } from '../bytes.ts'

/** The author of a session that is written by hand. */
export interface Signer {
  readonly key: SigningKey
  readonly chain: readonly Admission[]
}

/** The content of a commit that is written by hand. A field that is missing has a default. */
export interface WrittenCommit {
  readonly sections?: readonly Section[]
  readonly deps?: readonly Dot[]
  readonly digest?: Uint8Array
  readonly time?: Timestamp
  readonly extensions?: Extensions
}

/** The content of the opening of a session that is written by hand. By default, the session belongs to its author. */
export interface WrittenOpening {
  readonly parents?: readonly Tip[]
  readonly start?: number
  readonly extensions?: Extensions
  readonly device?: DeviceId
  readonly admission?: Uint8Array
  /** The hexadecimal digits with which the id of the session begins. */
  readonly path?: string
}

/** The randomness and the time that writing takes from outside. */
export interface WritingTools {
  readonly random: Random
  readonly now: number
}

const NOTHING = new Uint8Array(0)

/** The device that holds a key. */
const deviceOf = ({ publicKey }: SigningKey): DeviceId => toHex(publicKey) as DeviceId

/** A session that is written by hand, so that its author can break the rules: for conformance checks and hostile members. */
export class WrittenSession {
  readonly record: OpeningRecord
  readonly author: Signer

  constructor(
    author: Signer,
    { random }: Pick<WritingTools, 'random'>,
    { parents = [], start, extensions, device, admission, path = '' }: WrittenOpening = {},
  ) {
    const { grant, id } = author.chain.at(-1)!
    this.author = author
    const fields = {
      space: grant.space,
      device: device ?? deviceOf(author.key),
      parents,
      admission: admission ?? id,
      ...(start !== undefined && { start }),
      ...(extensions && { extensions }),
    }
    let record = makeOpening({ ...fields, nonce: random.bytes(16) })
    while (!record.session.startsWith(path)) {
      record = makeOpening({ ...fields, nonce: random.bytes(16) })
    }
    this.record = record
  }

  /** A signed batch after `before`, or the first one. */
  async batch(
    before: Batch | undefined,
    written: readonly WrittenCommit[],
    { random, now }: WritingTools,
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
    const from = batches[0]?.commits[0]?.header.seq ?? 1
    const chain = this.author.chain.map(({ bytes }) => bytes)
    return {
      session: this.record.session,
      from,
      opening: from === 1 ? { bytes: this.record.bytes, chain } : undefined,
      batches: batches.map(encodeBatch),
    }
  }
}

/** Returns the tip of a session that ends with this batch. */
export const tipAfter = (batch: Batch): Tip => ({
  session: batch.session,
  seq: lastSeq(batch),
  mark: markOf(batch.id),
})
