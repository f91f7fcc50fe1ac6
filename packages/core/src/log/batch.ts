import { concatBytes, fromHex, toHex } from '../bytes.ts'
import { decodeCanonical, encodeCanonical, withCanonical } from '../codec.ts'
import type { Value } from '../value.ts'
import { PeerplaneError } from '../errors.ts'
import { arrayField, bytesField, listField } from '../fields.ts'
import { domain, hash } from '../hash.ts'
import type { Timestamp } from '../hybrid-clock.ts'
import type { BatchId, CommitId, DeviceId, EntityKey, SessionId } from '../ids.ts'
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
 * A batch: consecutive commits of one session, which the device stores in one flush and signs with one signature.
 *
 * The id of a batch is a hash over its session, the sequence number (seq) of its first commit, the number of its commits, the id of the previous
 * batch, and the Merkle root over its commit ids. Each batch id covers the previous batch. So a signature of one batch authenticates all earlier
 * batches of the session too.
 */
export interface Batch {
  readonly id: BatchId
  readonly session: SessionId
  readonly previous: BatchId
  /**
   * The 16-byte seed from which the salts of all sections of the batch are derived. A whole batch is sent with its seed; a sparse commit contains
   * only the salts of the sections that it shows.
   */
  readonly seed: Uint8Array
  /**
   * The Ed25519 signature of the batch id by the device of the session. The signature is `undefined` if the batch was received together with a later
   * batch whose signature covers it.
   */
  readonly signature: Uint8Array | undefined
  /**
   * The commits of the batch: at least one, with consecutive sequence numbers. Only the first commit of a batch may have `deps`, because a batch is
   * delivered as a whole.
   */
  readonly commits: readonly Commit[]
}

/** The data that the signature of a batch covers. The hash of a `BatchCore` is the id of the batch; see {@link batchIdOf}. */
export interface BatchCore {
  readonly session: SessionId
  readonly firstSeq: number
  readonly count: number
  readonly previous: BatchId
  readonly root: Uint8Array
}

/** Length of the seed of a batch, in bytes. */
export const SEED_BYTES = 16

/** Returns the id of a batch. */
export const batchIdOf = (core: BatchCore): BatchId =>
  toHex(
    withCanonical(
      [fromHex(core.session), core.firstSeq, core.count, fromHex(core.previous), core.root],
      (content) => hash('batch', content),
    ),
  ) as BatchId

/** Makes an unsigned batch of commits whose salts are derived from `seed`. */
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

/** Returns the batch with a signature by `key`. */
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

/** Returns the bytes that are signed for a batch with this id. */
export const batchMessage = (id: BatchId): Uint8Array =>
  concatBytes(domain('batch-signature'), fromHex(id))

/** Returns the sequence number of the first commit in a batch. */
export const firstSeq = (batch: Batch): number => batch.commits[0]!.header.seq

/** Returns the sequence number of the last commit in a batch. */
export const lastSeq = (batch: Batch): number => firstSeq(batch) + batch.commits.length - 1

/**
 * Estimates how many bytes a receiver has to hash to check a batch. A batch with a short encoding can expand to many bytes that have to be hashed.
 * The result is never smaller than the length of `encoded`, and exceeds this length by at most `limits.batchBytes`.
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

/**
 * Encodes a batch in the form in which it is stored and sent. The encoding of a batch omits its session and the id of the previous batch, which the
 * reader knows from the place of the batch. The encoding of a batch also omits all hashes, because its reader computes them.
 */
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
 * Decodes the batch that follows `previous` in `session` and starts with commit `firstSeq`. The headers and hashes are computed from the decoded
 * data; only the signature of the batch shows whether they are right. Throws `malformed` or `too-large`.
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

/** The information about a batch that can be read without hashing. */
export interface SkimmedBatch {
  /** The time of the first commit in the batch. */
  readonly time: Timestamp
  /** The keys of the entities that the batch changes. If several commits change the same entity, its key occurs several times. */
  readonly entities: readonly EntityKey[]
}

/**
 * Reads the time and the entities of a batch that was decoded before, without checking the batch again. Throws `malformed` if the batch cannot be
 * read.
 */
export function skimBatch(encoded: Uint8Array): SkimmedBatch {
  const fields = arrayField(decodeCanonical(encoded), 'batch', 5)
  const entities: EntityKey[] = []
  for (const commit of arrayField(fields[4], 'batch.commits')) {
    for (const item of arrayField(commit, 'batch.commit')) {
      const key = nameIn(item)
      if (key !== undefined) entities.push(key)
    }
  }
  return { time: readTimestamp(fields[2]), entities }
}

/** The entity that an item of a commit names, if it is the first section of it in its batch. */
function nameIn(item: Value): EntityKey | undefined {
  const [entity] = Array.isArray(item) ? (item as readonly Value[]) : []
  const [key] = Array.isArray(entity) ? (entity as readonly Value[]) : []
  return typeof key === 'string' ? (key as EntityKey) : undefined
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
