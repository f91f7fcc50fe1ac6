import {
  decodeAdmission,
  decodeBatch,
  decodeForkProof,
  decodeOpening,
  equalBytes,
  fromHex,
  lastSeq,
  limits,
  markOf,
  reasonOf,
  verifyAdmissions,
  verifyBatch,
  verifyForkProof,
  weightOf,
  type Batch,
  type BatchId,
  type Crypto,
  type DeviceId,
  type OpeningRecord,
  type Run,
  type SessionId,
  type SpaceRecord,
  type Timestamp,
} from '@peerplane/core'

import { BrokenFrame } from './heard.ts'
import type { RuleId } from './rules.ts'

/** What is known of a session that the peer has sent. */
interface Known {
  readonly record: OpeningRecord
  /** Batches by the seq of their last commit. */
  reached: number
  readonly ends: Map<
    number,
    { readonly id: BatchId; readonly encoded: Uint8Array; readonly time: Timestamp }
  >
}

/** Everything that the peer has sent of the log, each run checked as a receiver has to check it. */
export class Ledger {
  readonly #sessions = new Map<SessionId, Known>()
  readonly #space: SpaceRecord
  readonly #crypto: Crypto

  constructor(space: SpaceRecord, crypto: Crypto) {
    this.#space = space
    this.#crypto = crypto
  }

  /** A session that begins here. */
  knows(record: OpeningRecord): void {
    this.#sessions.set(record.session, { record, reached: 0, ends: new Map() })
  }

  /** Forgets a session, which is to come again. */
  forget(session: SessionId): void {
    this.#sessions.delete(session)
  }

  authorOf(session: SessionId): DeviceId | undefined {
    return this.#sessions.get(session)?.record.opening.device
  }

  openingOf(session: SessionId): OpeningRecord | undefined {
    return this.#sessions.get(session)?.record
  }

  /** Up to which commit a session has come without a gap. */
  reached(session: SessionId): number {
    return this.#sessions.get(session)?.reached ?? 0
  }

  /** The mark of the batch that ends at a seq, if it has come. */
  markAt(session: SessionId, seq: number): string | undefined {
    const end = this.#sessions.get(session)?.ends.get(seq)
    return end && markOf(end.id)
  }

  /** The bytes of the batch that ends at a seq, if it has come. */
  batchAt(session: SessionId, seq: number): Uint8Array | undefined {
    return this.#sessions.get(session)?.ends.get(seq)?.encoded
  }

  /** Takes in a run; the batches that it brings. Throws {@link BrokenFrame}. */
  async take(run: Run): Promise<Batch[]> {
    const known = await this.#open(run)
    // Its beginning was not asked for.
    if (!known) return []
    let seq = run.from
    let previous = seq === 1 ? known.record.first : known.ends.get(seq - 1)?.id
    // It continues what has not come here: the peer may have been asked for the middle of a session.
    if (previous === undefined) return []
    let weight = 0
    const batches: Batch[] = []
    for (const encoded of run.batches) {
      const batch = judged('R-BATCH-2', () => decodeBatch(encoded, run.session, previous!, seq))
      weight += weightOf(batch, encoded)
      batches.push(batch)
      seq = lastSeq(batch) + 1
      previous = batch.id
    }
    if (weight > limits.batchBytes)
      throw new BrokenFrame('R-BATCH-3', `a run stands for ${weight} bytes`)
    await this.#checkEnd(run, batches, known.record.opening.device)
    for (const [index, batch] of batches.entries()) this.#keep(known, batch, run.batches[index]!)
    return batches
  }

  #keep(known: Known, batch: Batch, encoded: Uint8Array): void {
    const { time } = batch.commits[0]!.header
    known.ends.set(lastSeq(batch), { id: batch.id, encoded, time })
    known.reached = Math.max(known.reached, lastSeq(batch))
  }

  async #open({ session, opening }: Run): Promise<Known | undefined> {
    const before = this.#sessions.get(session)
    if (!opening) return before
    const record = judged('R-OPENING-1', () => decodeOpening(opening.bytes))
    if (record.session !== session)
      throw new BrokenFrame(
        'R-OPENING-1',
        'the id of a session is not the beginning of the hash of its opening',
      )
    const chain = judged('R-MEMBER-1', () => opening.chain.map(decodeAdmission))
    const { device, space, admission } = record.opening
    if (space !== this.#space.id)
      throw new BrokenFrame('R-OPENING-1', 'an opening is of another space')
    if (!(await verifyAdmissions(this.#space, device, chain, this.#crypto)))
      throw new BrokenFrame('R-MEMBER-1', 'the admissions of a session do not lead to its device')
    if (!equalBytes(admission, chain.at(-1)?.id ?? fromHex(space)))
      throw new BrokenFrame('R-OPENING-4', 'an opening does not name the admission of its device')
    const known = before ?? { record, reached: 0, ends: new Map() }
    this.#sessions.set(session, known)
    return known
  }

  async #checkEnd(run: Run, batches: readonly Batch[], device: DeviceId): Promise<void> {
    const last = batches.at(-1)
    if (run.fork) {
      const proof = judged('R-FORK-2', () => decodeForkProof(run.fork!, run.session))
      if (!(await verifyForkProof(proof, device, this.#crypto)))
        throw new BrokenFrame('R-FORK-2', 'the proof of a fork is not valid')
      if (last && proof.previous !== last.id)
        throw new BrokenFrame('R-FORK-4', 'a run does not end where the fork begins that it proves')
    } else if (!last?.signature)
      throw new BrokenFrame('R-RUN-1', 'the last batch of a run is not signed')
    else if (!(await verifyBatch(last, device, this.#crypto)))
      throw new BrokenFrame('R-RUN-15', 'the signature of the last batch of a run is not valid')
  }
}

function judged<Result>(rule: RuleId, read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    throw new BrokenFrame(rule, reasonOf(error))
  }
}
