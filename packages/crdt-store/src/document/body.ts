import {
  decodeCanonical,
  encodeCanonical,
  PeerplaneError,
  type Json,
  type Value,
} from '@peerplane/core'

import { allowed, missingBytes, placesIn } from './allowance.ts'
import type { Tree } from './defaults.ts'
import { toPlain } from './plain.ts'
import { wrong } from './wrong.ts'

/** A section body: the changes of one command, and the initial state if they are the first to build on it. */
export interface DocumentBody {
  /** Change chunks, one after the other. */
  readonly chunks: Uint8Array
  readonly tree: Tree | undefined
}

/** A body that was read, and how many operations it may have. */
export interface ReadBody extends DocumentBody {
  readonly allowed: number
}

/** `[chunks]`, `[chunks, initial state]`; a last item of bytes pads a body that is too short for the work that it makes. */
export function encodeBody({ chunks, tree }: DocumentBody, work = 0): Uint8Array {
  const items: Value[] = tree ? [chunks, tree] : [chunks]
  const body = encodeCanonical(items)
  const missing = work > 0 ? missingBytes(work, placesIn(tree), body.length) : 0
  return missing > 0 ? encodeCanonical([...items, new Uint8Array(missing)]) : body
}

/** The body; `undefined` for a body of a state that is not a document. Throws `void`. */
export function readBody(bytes: Uint8Array): ReadBody | undefined {
  const fields = attempt(() => decodeCanonical(bytes))
  if (!Array.isArray(fields)) throw wrong('it is not a body')
  const [chunks, ...rest] = fields as readonly unknown[]
  // A native state; the third item is a generation.
  if (Array.isArray(chunks) && (fields.length === 2 || fields.length === 3)) return undefined
  // A state with a single writer.
  if ((chunks === 1 || chunks === 2) && fields.length === 2) return undefined
  if (chunks === 3 && fields.length === 6) return undefined
  if (!(chunks instanceof Uint8Array)) throw wrong('it is not a body')
  if (rest.at(-1) instanceof Uint8Array) rest.pop()
  if (rest.length > 1) throw wrong('it is not a body')
  const [given] = rest
  const tree = given === undefined ? undefined : readTree(given)
  const left = allowed(bytes.length, placesIn(tree))
  if (left < 0) throw wrong('it has too few bytes for its initial state')
  return { chunks, tree, allowed: left }
}

function readTree(given: unknown): Tree {
  const plain = attempt(() => toPlain(given, 0))
  if (typeof plain === 'object' && plain !== null && !Array.isArray(plain)) {
    return plain as { readonly [key: string]: Json }
  }
  throw wrong('its initial state is not a record')
}

function attempt<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof PeerplaneError) throw wrong(error.message)
    throw error
  }
}
