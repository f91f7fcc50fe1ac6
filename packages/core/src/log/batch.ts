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
  commitHash,
  decodeHeader,
  readSection,
  sectionToValue,
  sectionsRoot,
  type Commit,
} from './commit.ts'
import { equalBytes } from '../bytes.ts'
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

/** Canonical bytes of a batch as it is stored and sent. The session and the previous batch are known from its place. */
export function encodeBatch(batch: Batch): Uint8Array {
  return encodeCanonical([
    batch.seed,
    batch.signature ?? new Uint8Array(0),
    batch.commits.map((commit): Value => [commit.headerBytes, commit.sections.map(sectionToValue)]),
  ])
}

/**
 * The batch that follows `previous` in `session`, starting with commit `expectedSeq`. Checks everything but the signature: form, limits,
 * numbering, and that the sections match the headers. Throws `malformed`, `too-large` or `broken-chain`.
 */
export function decodeBatch(
  encoded: Uint8Array,
  session: SessionId,
  previous: BatchId,
  expectedSeq: number,
): Batch {
  if (encoded.length > limits.batchBytes + 64 * 1024) {
    throw new PeerplaneError('too-large', `a batch has ${encoded.length} bytes`)
  }
  const fields = arrayField(decodeCanonical(encoded), 'batch', 3)
  const seed = bytesField(fields[0], 'batch.seed', SEED_BYTES)
  const signature = bytesField(fields[1], 'batch.signature')
  if (signature.length !== 0 && signature.length !== 64) {
    throw new PeerplaneError('malformed', 'batch.signature is not 64 bytes long')
  }
  const place = { session, bytes: fromHex(session), seed, ids: [] }
  const commits = listField(fields[2], 'batch.commits', limits.batchCommits, (value, name) =>
    readCommit(value, name, place),
  )
  const [first, ...rest] = commits
  if (!first) throw new PeerplaneError('malformed', 'batch.commits is empty')
  commits.forEach((commit, index) => {
    if (commit.header.seq !== expectedSeq + index) {
      throw new PeerplaneError(
        'broken-chain',
        `commit ${commit.header.seq} stands where ${expectedSeq + index} was due`,
      )
    }
    if (index > 0 && commit.header.deps.length > 0) {
      throw new PeerplaneError('malformed', `batch.commits[${index}] has dependencies of its own`)
    }
  })
  const batch = batchOver(previous, [first, ...rest], seed, place.ids)
  return signature.length === 0 ? batch : { ...batch, signature }
}

/** Where commits are read, and the ids of those that were. */
interface ReadingPlace {
  readonly session: SessionId
  readonly bytes: Uint8Array
  readonly seed: Uint8Array
  readonly ids: Uint8Array[]
}

function readCommit(value: Value, name: string, place: ReadingPlace): Commit {
  const { session, seed, ids } = place
  const fields = arrayField(value, name, 2)
  const headerBytes = bytesField(fields[0], `${name}.header`)
  const header = decodeHeader(headerBytes)
  const sections = listField(fields[1], `${name}.sections`, limits.sections, readSection)
  if (!equalBytes(sectionsRoot(seed, header.seq, sections), header.root)) {
    throw new PeerplaneError('malformed', `${name} has sections that its header does not name`)
  }
  const id = commitHash(place.bytes, headerBytes)
  ids.push(id)
  return { id: toHex(id) as CommitId, session, header, headerBytes, sections }
}
