import { fromHex, toHex } from '../bytes.ts'
import { decodeCanonical, encodeCanonical } from '../codec.ts'
import type { Value } from '../value.ts'
import { PeerplaneError } from '../errors.ts'
import { arrayField, bytesField, listField, wholeField } from '../fields.ts'
import { HASH_BYTES } from '../hash.ts'
import type { BatchId, DeviceId, SessionId } from '../ids.ts'
import { limits } from '../limits.ts'
import type { Crypto } from '../ports/crypto.ts'
import { batchIdOf, batchMessage, type Batch } from './batch.ts'
import { MAX_SEQ } from './commit.ts'
import { merkleRoot } from './merkle.ts'
import { markOf, type Tip } from './tip.ts'

/** One batch of a branch. With its place and the id of the batch before it, this determines its id. */
export interface BatchLink {
  readonly count: number
  /** Merkle root over the commit ids. */
  readonly root: Uint8Array
}

/** Consecutive batches, from one place on, and the signature of the last one. */
export interface Branch {
  readonly links: readonly BatchLink[]
  readonly signature: Uint8Array
}

/**
 * Proof that the device of a session signed two versions of it. Anybody who knows the device can check it:
 *
 *                    ┌─ batch ─ batch, signed        branches[0]: continues what the holder of the proof has
 *     … ── previous ─┤
 *                    └─ batch, signed                branches[1]
 *                       ^ seq
 */
export interface ForkProof {
  readonly session: SessionId
  /** The first commit of the first batch that has two versions. */
  readonly seq: number
  /** The batch before it: the session has one version up to here. */
  readonly previous: BatchId
  readonly branches: readonly [Branch, Branch]
}

/** A branch of batches. The last batch is `end`ed by a signature, or by a branch that continues it. */
export function branchOf(batches: readonly Batch[], end: Uint8Array | Branch): Branch {
  const links = batches.map(({ commits }) => ({
    count: commits.length,
    root: merkleRoot(commits.map(({ id }) => fromHex(id))),
  }))
  if (end instanceof Uint8Array) return { links, signature: end }
  return { links: [...links, ...end.links], signature: end.signature }
}

/** Whether `device` signed two versions of the session from the place of the proof on. */
export async function verifyForkProof(
  proof: ForkProof,
  device: DeviceId,
  crypto: Crypto,
): Promise<boolean> {
  const [one, other] = proof.branches
  if (firstIdOf(proof, one) === firstIdOf(proof, other)) return false
  const key = fromHex(device)
  const verified = await Promise.all(
    proof.branches.map((branch) =>
      crypto.verify(key, batchMessage(lastIdOf(proof, branch)), branch.signature),
    ),
  )
  return verified.every(Boolean)
}

/** Id of the first batch of a branch. */
export const firstIdOf = (proof: ForkProof, { links }: Branch): BatchId =>
  lastIdOf(proof, { links: links.slice(0, 1) })

/**
 * How a device lists a session in a frontier if it holds the proof and everything before the fork. The lower the fork, the higher the seq: as
 * with other tips, a peer with a lower one asks for what it lacks. The mark is that of the batch before the fork.
 */
export const forkedTip = ({ session, seq, previous }: ForkProof): Tip => ({
  session,
  seq: Number.MAX_SAFE_INTEGER - seq,
  mark: markOf(previous),
})

/** Whether a tip is a {@link forkedTip}; no commit has such a high seq. */
export const isForkedTip = (tip: Pick<Tip, 'seq'>): boolean => tip.seq > MAX_SEQ

/** Canonical bytes of a proof; its session is known from its place. */
export const encodeForkProof = ({ seq, previous, branches }: ForkProof): Uint8Array =>
  encodeCanonical([seq, fromHex(previous), ...branches.map(branchToValue)])

/** The proof of canonical bytes; its signatures are not verified. Throws `malformed` or `too-large`. */
export function decodeForkProof(encoded: Uint8Array, session: SessionId): ForkProof {
  if (encoded.length > limits.forkBytes) {
    throw new PeerplaneError('too-large', `the proof of a fork has ${encoded.length} bytes`)
  }
  const fields = arrayField(decodeCanonical(encoded), 'fork', 4)
  return {
    session,
    seq: readSeq(fields[0]),
    previous: toHex(bytesField(fields[1], 'fork.previous', HASH_BYTES)) as BatchId,
    branches: [readBranch(fields[2], 'fork.one'), readBranch(fields[3], 'fork.other')],
  }
}

const branchToValue = ({ links, signature }: Branch): Value => [
  links.map(({ count, root }) => [count, root]),
  signature,
]

function readSeq(value: Value | undefined): number {
  const seq = wholeField(value, 'fork.seq', 1)
  if (seq > MAX_SEQ) throw new PeerplaneError('malformed', 'fork.seq is not the place of a commit')
  return seq
}

function readBranch(value: Value | undefined, name: string): Branch {
  const fields = arrayField(value, name, 2)
  const links = listField(fields[0], `${name}.links`, limits.runBatches, (each, item) => {
    const [count, root] = arrayField(each, item, 2)
    return {
      count: wholeField(count, `${item}.count`, 1),
      root: bytesField(root, item, HASH_BYTES),
    }
  })
  if (links.length === 0) throw new PeerplaneError('malformed', `${name} has no batch`)
  return { links, signature: bytesField(fields[1], `${name}.signature`, 64) }
}

function lastIdOf(
  { session, seq, previous }: ForkProof,
  { links }: Pick<Branch, 'links'>,
): BatchId {
  let id = previous
  let firstSeq = seq
  for (const { count, root } of links) {
    id = batchIdOf({ session, firstSeq, count, previous: id, root })
    firstSeq += count
  }
  return id
}
