import { sha256 } from '@noble/hashes/sha2.js'
import { limits, PeerplaneError, toHex } from '@peerplane/core'

import { ByteReader } from './byte-reader.ts'
import { checkColumns } from './columns.ts'

/** What is known of a change without having applied it. */
export interface Change {
  readonly bytes: Uint8Array
  /** SHA-256 of the chunk, hexadecimal: how Automerge names it. */
  readonly hash: string
  /** The changes it builds upon, by hash. */
  readonly deps: readonly string[]
  /** The counter of its last operation. */
  readonly maxOp: number
}

/**
 * Checks one change chunk of Automerge's binary format without applying or expanding it.
 *
 * A hundred bytes of run lengths can stand for millions of operations, and a wrong counter makes a document that never loads again, so
 * this counts runs and compares counters first. Time and memory grow with the length of `bytes` only. `maxOpOf` gives the last
 * operation of a known change. What it lets pass can still be refused by Automerge itself, but not cost more than its limits.
 *
 * Throws `void`.
 *
 * Source of the format: Automerge binary format specification, sections "Chunk" and "Change chunk".
 */
export function readChange(
  bytes: Uint8Array,
  actor: Uint8Array,
  maxOpOf: (hash: string) => number | undefined,
): Change {
  if (bytes.length > limits.documentBytes) throw wrong('it is too long')
  const body = readHeader(bytes)
  const hash = sha256(bytes.subarray(HASHED_FROM))
  if (bytes.subarray(4, HASHED_FROM).some((byte, i) => byte !== hash[i])) {
    throw wrong('its checksum does not fit')
  }
  const deps = Array.from({ length: body.count(limits.documentOps) }, () => toHex(body.take(32)))
  if (deps.length === 0) throw wrong('it builds upon nothing')
  let previous = 0
  for (const dep of deps) {
    const maxOp = maxOpOf(dep)
    if (maxOp === undefined) throw wrong('it builds upon an unknown change')
    previous = Math.max(previous, maxOp)
  }
  if (!belongsTo(body.take(body.count(64)), actor)) throw wrong('another session made it')
  if (body.unsigned() < 1) throw wrong('it has no number')
  const startOp = body.unsigned()
  if (startOp <= previous || startOp > previous + MAX_AHEAD) {
    throw wrong('its operations are numbered wrongly')
  }
  if (body.signed() !== 0) throw wrong('it has a time')
  if (body.count(0) !== 0) throw wrong('it has a message')
  for (let others = body.count(limits.documentOps); others > 0; others--) body.take(body.count(64))
  const ops = checkColumns(body)
  const maxOp = startOp + ops - 1
  if (maxOp > MAX_OP) throw wrong('its operations are numbered too high')
  return { bytes, hash: toHex(hash), deps, maxOp }
}

/** A reader of what follows the header of the one chunk that `bytes` are. */
function readHeader(bytes: Uint8Array): ByteReader {
  const reader = new ByteReader(bytes)
  if (MAGIC.some((byte) => reader.byte() !== byte)) throw wrong('it is no chunk')
  reader.take(4)
  // Only uncompressed changes: compressing belongs to transport and storage, and nobody has to bound an inflation.
  if (reader.byte() !== CHANGE_CHUNK) throw wrong('it is no uncompressed change')
  if (reader.unsigned() !== reader.left) throw wrong('it is not exactly one chunk')
  return reader
}

/**
 * Whether `found` is the actor of this session. When a command refers to a version without the session's own last change, Automerge
 * writes it as a branch of the actor: four bytes and the number of the branch before it.
 */
function belongsTo(found: Uint8Array, actor: Uint8Array): boolean {
  const start = found.length - actor.length
  if (start < 0 || actor.some((byte, i) => byte !== found[start + i])) return false
  return (
    start === 0 || (start > 4 && start <= 4 + 5 && BRANCH.every((byte, i) => byte === found[i]))
  )
}

const wrong = (reason: string): PeerplaneError =>
  new PeerplaneError('void', `a change of a document is not valid: ${reason}`)

const MAGIC = [0x85, 0x6f, 0x4a, 0x83]
const CHANGE_CHUNK = 1
/** Magic and checksum come before what is hashed. */
const HASHED_FROM = 8
const BRANCH = [0x13, 0xb2, 0x23, 0x09]
/** Automerge cannot load operations above this. */
const MAX_OP = 2 ** 31 - 1

/**
 * How far a change may number its operations beyond those of the changes it names. Automerge counts on from all that its author holds,
 * also for a command at an older version; without a bound one change could use up the numbers of a document.
 */
export const MAX_AHEAD = 1_000_000
