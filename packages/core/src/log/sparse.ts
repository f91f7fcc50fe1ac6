import { equalBytes, fromHex } from '../bytes.ts'
import type { BatchId, DeviceId } from '../ids.ts'
import type { Crypto } from '../ports/crypto.ts'
import { batchIdOf, batchMessage, firstSeq, type Batch, type BatchCore } from './batch.ts'
import {
  commitIdOf,
  decodeHeader,
  rootOfLeaves,
  saltOf,
  sectionLeaf,
  type Section,
} from './commit.ts'
import { merklePath, merkleRoot, verifyMerklePath } from './merkle.ts'

/** One section of a sparse commit: either the section with its salt, or only its Merkle leaf. */
export type SparseSection =
  | { readonly shown: true; readonly salt: Uint8Array; readonly section: Section }
  | { readonly shown: false; readonly leaf: Uint8Array }

/**
 * A sparse commit: one commit of a batch, with only some of its sections. A sparse commit can be verified, through a chain of hashes, without the
 * other commits of its batch and without its hidden sections.
 *
 *     section ─ leaf ─ header.root ─ commit id ─ path ─ batch root ─ batch id ─ signature
 *
 * A sparse commit has one item for each section of the commit: the whole section, or only its Merkle leaf. No section can be left out, because the
 * root in the header also covers the number of sections.
 */
export interface SparseCommit {
  readonly core: Omit<BatchCore, 'root'>
  readonly signature: Uint8Array
  readonly batchRoot: Uint8Array
  readonly path: readonly Uint8Array[]
  readonly headerBytes: Uint8Array
  readonly sections: readonly SparseSection[]
}

/**
 * Returns the sparse form of commit `seq` of a signed batch. The sparse commit shows the sections for which `shows` returns true. Returns `undefined`
 * if the batch has no commit `seq` or no signature.
 */
export function toSparse(
  batch: Batch,
  seq: number,
  shows: (section: Section) => boolean,
): SparseCommit | undefined {
  const commit = batch.commits[seq - firstSeq(batch)]
  if (!commit || !batch.signature) return undefined
  const ids = batch.commits.map(({ id }) => fromHex(id))
  return {
    core: {
      session: batch.session,
      firstSeq: firstSeq(batch),
      count: batch.commits.length,
      previous: batch.previous,
    },
    signature: batch.signature,
    batchRoot: merkleRoot(ids),
    path: merklePath(ids, seq - firstSeq(batch)),
    headerBytes: commit.headerBytes,
    sections: commit.sections.map((section, index): SparseSection => {
      const salt = saltOf(batch.seed, seq, index)
      return shows(section)
        ? { shown: true, salt, section }
        : { shown: false, leaf: sectionLeaf(salt, section) }
    }),
  }
}

/** Whether `device` signed the commit to which the shown sections belong. */
export async function verifySparse(
  sparse: SparseCommit,
  device: DeviceId,
  crypto: Crypto,
): Promise<boolean> {
  const header = decodeHeader(sparse.headerBytes)
  const leaves = sparse.sections.map((each) =>
    each.shown ? sectionLeaf(each.salt, each.section) : each.leaf,
  )
  if (!equalBytes(rootOfLeaves(leaves), header.root)) return false
  const id = fromHex(commitIdOf(sparse.core.session, sparse.headerBytes))
  const { firstSeq, count } = sparse.core
  const inBatch = verifyMerklePath(sparse.batchRoot, id, header.seq - firstSeq, count, sparse.path)
  if (!inBatch || header.seq < firstSeq || header.seq >= firstSeq + count) return false
  const batchId: BatchId = batchIdOf({ ...sparse.core, root: sparse.batchRoot })
  return crypto.verify(fromHex(device), batchMessage(batchId), sparse.signature)
}
