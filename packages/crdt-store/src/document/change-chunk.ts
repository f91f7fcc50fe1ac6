import { sha256 } from '@noble/hashes/sha2.js'
import { limits, toHex } from '@peerplane/core'

import { ByteReader } from './byte-reader.ts'
import { countOperations, readOperations, type OperationColumns } from './columns.ts'
import { wrong } from './wrong.ts'

/** What is known of a change without having applied it. */
export interface Change {
  readonly bytes: Uint8Array
  /** SHA-256 of the chunk, hexadecimal: how Automerge names it. */
  readonly hash: string
  /** The changes it builds on, by hash; at least one. */
  readonly deps: readonly string[]
  /** Its author and the other authors that its operations name, hexadecimal. */
  readonly actors: readonly [string, ...string[]]
  /** 1, 2, 3 … for its author. */
  readonly seq: number
  /** Counter of its first operation; the others count on from there. */
  readonly startOp: number
  readonly operations: OperationColumns
}

/** Reads the changes of one body: chunks, one after the other, that make at most this much work together. Throws `void`. */
export const readChanges = (bytes: Uint8Array, most = Infinity): readonly Change[] => [
  ...changesIn(bytes, most),
]

/** The same changes, each of which is read when it is asked for. */
export function* changesIn(bytes: Uint8Array, most: number): Generator<Change, undefined> {
  let left = most
  for (const chunk of chunksOf(bytes)) {
    const change = readChange(chunk, left)
    left -= workIn(change)
    yield change
  }
}

/**
 * Reads one change chunk of Automerge's binary format without applying it.
 *
 * A hundred bytes of run lengths can stand for millions of operations, so runs are counted before they are expanded, and there may be at
 * most `most`. Whether the change is valid where it stands, {@link History} says. Throws `void`.
 *
 * Source of the format: Automerge binary format specification, sections "Chunk" and "Change chunk".
 */
export function readChange(bytes: Uint8Array, most = Infinity): Change {
  if (bytes.length > limits.documentBytes) throw wrong('it is too long')
  const body = readChunk(bytes, CHANGE_CHUNK)
  const hash = sha256(bytes.subarray(HASHED_FROM))
  if (bytes.subarray(4, HASHED_FROM).some((byte, i) => byte !== hash[i])) {
    throw wrong('its checksum does not match')
  }
  const head = readHead(body)
  const operations = readOperations(body, most)
  if (head.startOp + operations.count - 1 > limits.documentLastOp) {
    throw wrong('its operations are numbered too high')
  }
  return { bytes, hash: toHex(hash), ...head, operations }
}

/** The author of the first change of a body of this device. */
export function authorOf(bytes: Uint8Array): string {
  const [chunk] = chunksOf(bytes)
  return readHead(readChunk(chunk!, CHANGE_CHUNK)).actors[0]
}

/** How much work a change makes, the numbers that it leaves out not counted. */
export const workIn = ({ operations }: Change): number =>
  Math.max(operations.count, operations.replacedActor.length)

/** How much work the changes of one body of this device make. `lastOp` is the last operation of a change that they may build on. */
export function workOf(bytes: Uint8Array, lastOp: (hash: string) => number): number {
  let work = 0
  for (const chunk of chunksOf(bytes)) {
    const body = readChunk(chunk, CHANGE_CHUNK)
    const { deps, startOp } = readHead(body)
    const { ops, replaced } = countOperations(body)
    work += Math.max(ops, replaced) + startOp - 1 - Math.max(...deps.map(lastOp))
  }
  return work
}

/** What stands before the operations. */
function readHead(body: ByteReader): Pick<Change, 'deps' | 'actors' | 'seq' | 'startOp'> {
  const deps = Array.from({ length: body.count(limits.documentOps) }, () => toHex(body.take(32)))
  if (deps.length === 0) throw wrong('it builds on nothing')
  const author = readActor(body)
  const seq = body.unsigned()
  const startOp = body.unsigned()
  if (body.signed() !== 0) throw wrong('it has a time')
  if (body.count(0) !== 0) throw wrong('it has a message')
  const others = Array.from({ length: body.count(limits.documentOps) }, () => readActor(body))
  return { deps, actors: [author, ...others], seq, startOp }
}

/** A reader of what follows the header of the one chunk that `bytes` are. Throws `void` if they are another or several. */
export function readChunk(bytes: Uint8Array, type: number): ByteReader {
  const reader = new ByteReader(bytes)
  if (MAGIC.some((byte) => reader.byte() !== byte)) throw wrong('it is not a chunk')
  reader.take(4)
  // Only uncompressed changes: compressing belongs to transport and storage, and nobody has to bound an inflation.
  if (reader.byte() !== type) throw wrong('it is not an uncompressed change')
  if (reader.unsigned() !== reader.left) throw wrong('it is not exactly one chunk')
  return reader
}

/** The parts of `bytes` that begin with the header of a chunk and are as long as it states. Throws `void` for none. */
function* chunksOf(bytes: Uint8Array): Iterable<Uint8Array> {
  let left = bytes
  do {
    const length = lengthOfChunk(left)
    yield left.subarray(0, length)
    left = left.subarray(length)
  } while (left.length > 0)
}

function lengthOfChunk(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes)
  reader.take(HASHED_FROM + 1)
  const length = reader.unsigned()
  return bytes.length - reader.left + length
}

/** The next actor, hexadecimal. */
export const readActor = (reader: ByteReader): string => toHex(reader.take(reader.count(64)))

/**
 * Whether the author of a change is the actor of this session. When a command refers to a version without the session's own last change,
 * Automerge writes it as a branch of the actor: four bytes and the number of the branch before it. It takes the first branch all of whose
 * changes the version has, so there are as many branches as a session has concurrent changes; a few are allowed.
 */
export function isActorOf(author: string, actor: string): boolean {
  if (!author.endsWith(actor)) return false
  if (author.length === actor.length) return true
  const before = author.slice(0, -actor.length)
  if (before.length !== BRANCH.length + 2 || !before.startsWith(BRANCH)) return false
  return Number.parseInt(before.slice(-2), 16) <= limits.documentBranches
}

/** The actor of the session that a change is of, by its author; of a branch it is the same as of the session. */
export const sessionActorOf = (author: string): string => author.slice(-ACTOR_DIGITS)

const MAGIC = [0x85, 0x6f, 0x4a, 0x83]
const CHANGE_CHUNK = 1
/** Magic and checksum come before what is hashed. */
const HASHED_FROM = 8
const BRANCH = '13b22309'
const ACTOR_DIGITS = 32
