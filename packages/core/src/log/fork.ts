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
import { extensionsAfter, isUnderstood, withExtensions, type Extensions } from './extensions.ts'
import { merkleRoot } from './merkle.ts'
import { markOf, type Tip } from './tip.ts'

/**
 * The data of one batch in the proof of a fork. The id of a batch can be computed from its `BatchLink`, its place, and the id of the previous batch.
 */
export interface BatchLink {
  readonly count: number
  /** The Merkle root over the commit ids of the batch. */
  readonly root: Uint8Array
}

/** One of the two versions of a session in the proof of a fork: consecutive batches, and the signature of the last batch. */
export interface Branch {
  readonly links: readonly BatchLink[]
  readonly signature: Uint8Array
}

/**
 * The proof that a device signed two versions of its session. Anybody who knows the id of a device can verify the proof that it signed two versions
 * of a session:
 *
 *                    ┌─ batch ─ batch, signed        branches[0]: continues what the holder of the proof has
 *     … ── previous ─┤
 *                    └─ batch, signed                branches[1]
 *                       ^ seq
 */
export interface ForkProof {
  readonly session: SessionId
  /** The sequence number of the first commit in the first batch that has two versions. */
  readonly seq: number
  /** The id of the last batch before the fork. Up to the batch `previous`, the session has only one version. */
  readonly previous: BatchId
  readonly branches: readonly [Branch, Branch]
  /** Who passes the proof on may have added them: no signature covers them. */
  readonly extensions?: Extensions
}

/**
 * Makes a branch from batches. A branch is one of the two versions in the proof of a fork. `end` is either the signature of the last of `batches`, or
 * a branch that begins directly after the last of `batches`.
 */
export function branchOf(batches: readonly Batch[], end: Uint8Array | Branch): Branch {
  const links = batches.map(({ commits }) => ({
    count: commits.length,
    root: merkleRoot(commits.map(({ id }) => fromHex(id))),
  }))
  if (end instanceof Uint8Array) return { links, signature: end }
  return { links: [...links, ...end.links], signature: end.signature }
}

/** Whether `device` signed both branches in the proof of a fork. */
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

/** Returns the id of the first batch of a branch. */
export const firstIdOf = (proof: ForkProof, { links }: Branch): BatchId =>
  lastIdOf(proof, { links: links.slice(0, 1) })

/**
 * Returns the tip of a forked session. A device that holds the proof of the fork, and all commits before the fork, lists this tip in its frontier.
 * The tip of an earlier fork has a higher seq, so a peer that knows only a later fork of the session asks for the earlier fork. The mark of the tip
 * of a forked session is the mark of the last batch before the fork.
 */
export const forkedTip = ({ session, seq, previous }: ForkProof): Tip => ({
  session,
  seq: Number.MAX_SAFE_INTEGER - seq,
  mark: markOf(previous),
})

/**
 * Whether a tip is the tip of a forked session, see {@link forkedTip}. The seq of the tip of a forked session is higher than the seq of any commit.
 */
export const isForkedTip = (tip: Pick<Tip, 'seq'>): boolean => tip.seq > MAX_SEQ

/** Encodes the proof of a fork as canonical bytes, without the session id, which the reader of the proof knows. */
export const encodeForkProof = ({ seq, previous, branches, extensions }: ForkProof): Uint8Array =>
  encodeCanonical(
    withExtensions([seq, fromHex(previous), ...branches.map(branchToValue)], extensions),
  )

/** Decodes the proof of a fork from canonical bytes, without verifying its signatures. Throws `malformed`, `too-large` or `needs-update`. */
export function decodeForkProof(encoded: Uint8Array, session: SessionId): ForkProof {
  if (encoded.length > limits.forkBytes) {
    throw new PeerplaneError('too-large', `the proof of a fork has ${encoded.length} bytes`)
  }
  const fields = arrayField(decodeCanonical(encoded), 'fork')
  const extensions = extensionsAfter(fields, 4, 'fork')
  if (!isUnderstood(extensions.extensions)) {
    throw new PeerplaneError('needs-update', 'the proof of a fork has an unknown critical key', {
      advice: 'Update this device.',
    })
  }
  return {
    session,
    seq: readSeq(fields[0]),
    previous: toHex(bytesField(fields[1], 'fork.previous', HASH_BYTES)) as BatchId,
    branches: [readBranch(fields[2], 'fork.one'), readBranch(fields[3], 'fork.other')],
    ...extensions,
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
