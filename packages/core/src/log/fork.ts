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
import { decodeOpening } from './opening.ts'
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
  /** The extensions of the proof. No signature covers them, so any peer that has passed the proof on may have added extensions. */
  readonly extensions?: Extensions
  /**
   * The canonical bytes of the two openings of the session, if the session has two openings. Each branch then begins with the opening at the same
   * place of this list, `seq` is 1, and `previous` is the hash of the first opening.
   */
  readonly openings?: readonly [Uint8Array, Uint8Array]
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

/**
 * Whether `device` signed both branches in the proof of a fork. If the proof has two openings, each branch must be signed by the device that its own
 * opening names.
 */
export async function verifyForkProof(
  proof: ForkProof,
  device: DeviceId,
  crypto: Crypto,
): Promise<boolean> {
  const [one, other] = proof.branches
  const begun = proof.openings?.map((opening) => decodeOpening(opening))
  if (!begun && firstIdOf(proof, one) === firstIdOf(proof, other)) return false
  const verified = await Promise.all(
    proof.branches.map((branch, index) => {
      const { first: previous, opening } = begun?.[index] ?? { first: proof.previous }
      const last = lastIdOf({ ...proof, previous }, branch)
      return crypto.verify(fromHex(opening?.device ?? device), batchMessage(last), branch.signature)
    }),
  )
  return verified.every(Boolean)
}

/** Returns the id of the first batch of a branch. */
export const firstIdOf = (proof: ForkProof, { links }: Branch): BatchId =>
  lastIdOf(proof, { links: links.slice(0, 1) })

/**
 * Returns the tip of a forked session. A device that holds the proof of the fork, and all commits before the fork, lists this tip in its frontier.
 * The tip of an earlier fork has a higher seq, so a peer that knows only a later fork of the session asks for the earlier fork. As its mark, the tip
 * of a forked session has the first 16 bytes of the id of the last batch before the fork.
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
export const encodeForkProof = (proof: ForkProof): Uint8Array => {
  const { seq, previous, branches, openings, extensions } = proof
  const place = openings ?? [seq, fromHex(previous)]
  return encodeCanonical(withExtensions([...place, ...branches.map(branchToValue)], extensions))
}

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
  const branches = [readBranch(fields[2], 'fork.one'), readBranch(fields[3], 'fork.other')] as const
  const rest = { session, branches, ...extensions }
  if (fields[0] instanceof Uint8Array) {
    return { ...rest, seq: 1, ...readOpenings(fields[0], fields[1], session) }
  }
  const previous = toHex(bytesField(fields[1], 'fork.previous', HASH_BYTES)) as BatchId
  return { ...rest, seq: readSeq(fields[0]), previous }
}

function readOpenings(
  one: Uint8Array,
  second: Value | undefined,
  session: SessionId,
): Required<Pick<ForkProof, 'openings' | 'previous'>> {
  const other = bytesField(second, 'fork.opening')
  const [made, rival] = [decodeOpening(one), decodeOpening(other)]
  if (made.session !== session || rival.session !== session || made.first === rival.first) {
    throw new PeerplaneError('malformed', 'fork.openings are not two openings of the session')
  }
  if (made.opening.space !== rival.opening.space) {
    throw new PeerplaneError('malformed', 'fork.openings belong to two spaces')
  }
  return { openings: [one, other], previous: made.first }
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
