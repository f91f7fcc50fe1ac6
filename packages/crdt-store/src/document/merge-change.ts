import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, fromHex, toHex } from '@peerplane/core'

import type { DocumentReplica } from './library.ts'

/** A document with more latest changes is merged before it is changed again: a change names all latest changes, 32 bytes each. */
export const MOST_HEADS = 64

/** The last change of an author. */
export interface LastChange {
  /** As Automerge names it. */
  readonly hash: string
  readonly seq: number
}

/** A change that merges others. */
export interface Merge extends LastChange {
  readonly bytes: Uint8Array
}

/** The last change of this author that a replica holds. Takes a few microseconds for each change of the replica. */
export function lastOf(replica: DocumentReplica, author: string): LastChange | undefined {
  return replica.getChangesMeta([]).findLast(({ actor }) => actor === author)
}

/** A change without operations that builds on latest changes of a replica, on as many as one change names, and on the last change of its author. */
export function mergeChange(
  replica: DocumentReplica,
  author: string,
  last: LastChange | undefined,
): Merge {
  const heads = new Set(replica.getHeads().slice(0, MOST_HEADS - 1))
  if (last) heads.add(last.hash)
  const deps = [...heads].sort()
  const lastOps = deps.map((dep) => replica.getChangeMetaByHash(dep)!.maxOp)
  const actor = fromHex(author)
  const seq = (last?.seq ?? 0) + 1
  const body = concatBytes(
    unsigned(deps.length),
    ...deps.map(fromHex),
    unsigned(actor.length),
    actor,
    unsigned(seq),
    unsigned(Math.max(...lastOps) + 1),
    NOTHING_ELSE,
  )
  const hashed = concatBytes(Uint8Array.of(CHANGE_CHUNK), unsigned(body.length), body)
  const hash = sha256(hashed)
  return { bytes: concatBytes(MAGIC, hash.subarray(0, 4), hashed), hash: toHex(hash), seq }
}

/** LEB128. */
function unsigned(value: number): Uint8Array {
  const bytes: number[] = []
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push(128 + (value % 128))
  return Uint8Array.of(...bytes, value)
}

const MAGIC = Uint8Array.of(0x85, 0x6f, 0x4a, 0x83)
const CHANGE_CHUNK = 1
/** No time, message, other author or column. */
const NOTHING_ELSE = new Uint8Array(4)
