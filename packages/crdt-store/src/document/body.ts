import { decodeCanonical, encodeCanonical, PeerplaneError, type Json } from '@peerplane/core'

import type { Tree } from './defaults.ts'
import { toPlain } from './plain.ts'
import { wrong } from './wrong.ts'

/** A section body: a change, and the initial state if the change is the first to build on it. */
export interface DocumentBody {
  readonly chunk: Uint8Array
  readonly tree: Tree | undefined
}

/** `[chunk]`, or `[chunk, initial state]`. */
export const encodeBody = ({ chunk, tree }: DocumentBody): Uint8Array =>
  encodeCanonical(tree ? [chunk, tree] : [chunk])

/** The body; `undefined` for a body of a state that is not a document. Throws `void`. */
export function readBody(bytes: Uint8Array): DocumentBody | undefined {
  const fields = attempt(() => decodeCanonical(bytes))
  if (!Array.isArray(fields)) throw wrong('it is not a body')
  const [chunk, tree] = fields as readonly unknown[]
  if (Array.isArray(chunk) && fields.length === 2) return undefined
  if (!(chunk instanceof Uint8Array) || fields.length > 2) throw wrong('it is not a body')
  if (tree === undefined) return { chunk, tree: undefined }
  const plain = attempt(() => toPlain(tree, 0))
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) {
    throw wrong('its initial state is not a record')
  }
  return { chunk, tree: plain as { readonly [key: string]: Json } }
}

function attempt<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof PeerplaneError) throw wrong(error.message)
    throw error
  }
}
