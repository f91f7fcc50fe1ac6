import { concatBytes, fromHex, toHex } from '../bytes.ts'
import { decodeCanonical, encodeCanonical, withCanonical } from '../codec.ts'
import type { Value } from '../value.ts'
import { PeerplaneError } from '../errors.ts'
import { arrayField, bytesField, listField } from '../fields.ts'
import { domain, hash } from '../hash.ts'
import type { BatchId, CommitId, DeviceId, SessionId } from '../ids.ts'
import { limits } from '../limits.ts'
import type { Crypto, SigningKey } from '../ports/crypto.ts'
import {
  depsToValue,
  headerExtensionsToValue,
  readDeps,
  readTime,
  readTimestamp,
  SectionReader,
  SectionWriter,
  splitHeaderExtensions,
  timeToValue,
  type Deps,
} from './batch-form.ts'
import {
  COMMIT_WEIGHT,
  commitHash,
  encodeHeader,
  MAX_SEQ,
  sectionsRoot,
  sectionWeight,
  type Commit,
  type Header,
} from './commit.ts'
import { merkleRoot } from './merkle.ts'

/**
 * The commits that one writer makes durable with one flush and one signature.
 *
 * The id covers session, first seq, count, the id of the batch before and the Merkle root over the commit ids. A run of batches is
 * therefore authenticated by the signature of its last one.
 */
export interface Batch {
  readonly id: BatchId
  readonly session: SessionId
  readonly previous: BatchId
  /** Salt seed: sent with whole batches; a sparse proof contains single salts. 16 bytes. */
  readonly seed: Uint8Array
  /** Ed25519 by the session's device over the id; `undefined` for an inner batch of a run received under a later signature. */
  readonly signature: Uint8Array | undefined
  /** At least one, consecutive. Only the first one may have deps: a batch is delivered as a whole, and nothing can come between its commits. */
  readonly commits: readonly Commit[]
}

/** What the signature of a batch covers; {@link batchIdOf} hashes it. */
export interface BatchCore {
  readonly session: SessionId
  readonly firstSeq: number
  readonly count: number
  readonly previous: BatchId
  readonly root: Uint8Array
}

/** Bytes of a batch's seed. */
export const SEED_BYTES = 16

/** Id of a batch. */
export const batchIdOf = (core: BatchCore): BatchId =>
  toHex(
    withCanonical(
      [fromHex(core.session), core.firstSeq, core.count, fromHex(core.previous), core.root],
      (content) => hash('batch', content),
    ),
  ) as BatchId

/** An unsigned batch of commits that were made with `seed`. */
export function makeBatch(
  previous: BatchId,
  commits: readonly [Commit, ...Commit[]],
  seed: Uint8Array,
): Batch {
  return batchOver(
    previous,
    commits,
    seed,
    commits.map((commit) => fromHex(commit.id)),
  )
}

/** As {@link makeBatch}; `ids` are those of the commits, as bytes. */
function batchOver(
  previous: BatchId,
  commits: readonly [Commit, ...Commit[]],
  seed: Uint8Array,
  ids: readonly Uint8Array[],
): Batch {
  const [{ session, header }] = commits
  const root = merkleRoot(ids)
  const id = batchIdOf({ session, firstSeq: header.seq, count: commits.length, previous, root })
  return { id, session, previous, seed, signature: undefined, commits }
}

/** The batch with its signature. */
export async function signBatch(batch: Batch, key: SigningKey): Promise<Batch> {
  return { ...batch, signature: await key.sign(batchMessage(batch.id)) }
}

/** Whether `device` signed the batch. */
export async function verifyBatch(
  batch: Batch,
  device: DeviceId,
  crypto: Crypto,
): Promise<boolean> {
  if (!batch.signature) return false
  return crypto.verify(fromHex(device), batchMessage(batch.id), batch.signature)
}

/** The bytes that are signed for a batch. */
export const batchMessage = (id: BatchId): Uint8Array =>
  concatBytes(domain('batch-signature'), fromHex(id))

/** Seq of the first commit. */
export const firstSeq = (batch: Batch): number => batch.commits[0]!.header.seq

/** Seq of the last commit. */
export const lastSeq = (batch: Batch): number => firstSeq(batch) + batch.commits.length - 1

/**
 * Bytes that a receiver hashes for a batch, about; a few bytes on the wire can stand for many. At least those of the `encoded` batch, and at
 * most `batchBytes` beyond them.
 */
export const weightOf = ({ commits }: Batch, encoded: Uint8Array): number =>
  Math.max(
    encoded.length,
    commits.reduce(
      (sum, { sections }) =>
        sections.reduce((all, section) => all + sectionWeight(section), sum + COMMIT_WEIGHT),
      0,
    ),
  )

/** Canonical bytes of a batch as it is stored and sent. The session and the previous batch are known from its place, hashes are computed. */
export function encodeBatch({ seed, signature, commits }: Batch): Uint8Array {
  const sections = new SectionWriter()
  const first = commits[0]!.header
  let before = first.time
  const content = commits.map((commit, index): Value => {
    const { time, extensions } = commit.header
    const value = [
      ...commit.sections.map((section) => sections.write(section)),
      ...headerExtensionsToValue(extensions),
    ]
    const all = index === 0 ? value : [timeToValue(time, before), ...value]
    before = time
    return all
  })
  return encodeCanonical([
    seed,
    signature ?? new Uint8Array(0),
    [first.time.ms, first.time.counter],
    depsToValue(first),
    content,
  ])
}

/**
 * The batch that follows `previous` in `session`, starting with commit `firstSeq`. Rebuilds headers and hashes; whether they are right, the
 * signature shows. Throws `malformed` or `too-large`.
 */
export function decodeBatch(
  encoded: Uint8Array,
  session: SessionId,
  previous: BatchId,
  firstSeq: number,
): Batch {
  if (encoded.length > limits.batchBytes + 64 * 1024) {
    throw new PeerplaneError('too-large', `a batch has ${encoded.length} bytes`)
  }
  const fields = arrayField(decodeCanonical(encoded), 'batch', 5)
  const seed = bytesField(fields[0], 'batch.seed', SEED_BYTES)
  const signature = bytesField(fields[1], 'batch.signature')
  if (signature.length !== 0 && signature.length !== 64) {
    throw new PeerplaneError('malformed', 'batch.signature is not 64 bytes long')
  }
  const place = { session, bytes: fromHex(session), seed, ids: [], sections: new SectionReader() }
  const dependent = readDeps(fields[3])
  let time = readTimestamp(fields[2])
  let seq = firstSeq
  const commits = listField(fields[4], 'batch.commits', limits.batchCommits, (value, name) => {
    const items = arrayField(value, name)
    const isFirst = seq === firstSeq
    if (!isFirst) time = readTime(items[0], time)
    const { sections, ...extensions } = splitHeaderExtensions(isFirst ? items : items.slice(1))
    const header = { ...(isFirst ? dependent : INDEPENDENT), seq: seq++, time, ...extensions }
    return rebuild(header, sections, place)
  })
  const [first, ...rest] = commits
  if (!first) throw new PeerplaneError('malformed', 'batch.commits is empty')
  if (seq - 1 > MAX_SEQ) throw new PeerplaneError('malformed', 'a session has no such commit')
  const batch = batchOver(previous, [first, ...rest], seed, place.ids)
  return signature.length === 0 ? batch : { ...batch, signature }
}

const INDEPENDENT: Deps = { deps: [], digest: new Uint8Array(0) }

/** Where commits are read, and the ids of those that were. */
interface ReadingPlace {
  readonly session: SessionId
  readonly bytes: Uint8Array
  readonly seed: Uint8Array
  readonly ids: Uint8Array[]
  readonly sections: SectionReader
}

function rebuild(
  fields: Omit<Header, 'root'>,
  values: readonly Value[],
  { session, bytes, seed, ids, sections: reader }: ReadingPlace,
): Commit {
  const sections = reader.read(values)
  const header: Header = { ...fields, root: sectionsRoot(seed, fields.seq, sections) }
  const headerBytes = encodeHeader(header)
  const id = commitHash(bytes, headerBytes)
  ids.push(id)
  return { id: toHex(id) as CommitId, session, header, headerBytes, sections }
}
