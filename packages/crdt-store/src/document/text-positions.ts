import { describe, PeerplaneError } from '@peerplane/core'

import type { DocumentReplica } from './library.ts'

/** Which neighbour a position stays next to, whatever is inserted between. */
export type Neighbour = 'next' | 'previous'

/**
 * The name of a position in a text: `>` and the cursor of the next character, or `<` and that of the previous one. Where there is none, it
 * is the end or the beginning for good.
 */
export function positionAt(
  replica: DocumentReplica,
  text: { readonly id: string; readonly length: number },
  index: number,
  neighbour: Neighbour,
): string {
  if (neighbour === 'next') {
    return `>${index === text.length ? 'e' : replica.getCursor(text.id, index)}`
  }
  return `<${index === 0 ? 's' : replica.getCursor(text.id, index - 1)}`
}

/** Where a position is now; after its neighbour was deleted, where that stood. Throws `invalid-input` for one that is not of this text. */
export function indexOfPosition(
  replica: DocumentReplica,
  text: { readonly id: string; readonly length: number },
  position: unknown,
): number {
  const [, side, cursor] = (typeof position === 'string' && FORM.exec(position)) || []
  if (side === undefined || cursor === undefined) throw unknown(position)
  if (cursor === 's') return 0
  if (cursor === 'e') return text.length
  const index = find(replica, text.id, cursor, position)
  const isThere = index < text.length && replica.getCursor(text.id, index) === cursor
  if (side === '>' || !isThere) return index
  const character = replica.get(text.id, index)
  return index + (typeof character === 'string' ? character.length : 1)
}

/** Counters have at most ten digits. */
const FORM = /^([<>])([se]|[1-9][0-9]{0,9}@(?:[0-9a-f]{2}){1,64})$/

function find(replica: DocumentReplica, id: string, cursor: string, position: unknown): number {
  try {
    return replica.getCursorPosition(id, cursor)
  } catch {
    // A cursor of another text makes Automerge panic. Nothing was changed, so the replica stays usable.
    throw unknown(position)
  }
}

const unknown = (position: unknown): PeerplaneError =>
  new PeerplaneError('invalid-input', `the text has no position ${describe(position)}`)
