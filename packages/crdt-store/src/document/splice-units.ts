import { halfPair } from '@peerplane/core'

import type { DocumentReplica } from './library.ts'

/** A text that is being edited. */
export interface TextPlace {
  readonly id: string
  /** In UTF-16 units. */
  length: number
  /** A position that is known to lie between two characters: where it was last edited. */
  boundary: number
}

/**
 * Replaces UTF-16 units of a text, as `String` does. Automerge holds characters and takes whole ones only, so a splice that begins or ends
 * within a surrogate pair is widened by the half that stays. Throws `invalid-input`, before anything is changed, where half of a pair would
 * be left.
 */
export function spliceUnits(
  replica: DocumentReplica,
  text: TextPlace,
  at: number,
  remove: number,
  inserted: string,
): void {
  const [before] = characterAround(replica, text, at)
  const [, after] = characterAround(replica, text, at + remove)
  const whole = before + inserted + after
  if (!whole.isWellFormed()) throw halfPair()
  replica.splice(text.id, at - before.length, remove + before.length + after.length, whole)
  text.length += inserted.length - remove
  text.boundary = at + inserted.length + after.length
}

/** The units before and after a position within one character, or whatever else Automerge holds as one; nothing between two. */
function characterAround(
  replica: DocumentReplica,
  { id, length, boundary }: TextPlace,
  at: number,
): readonly [before: string, after: string] {
  if (at === 0 || at === length || at === boundary) return NOTHING
  const found = replica.get(id, at)
  if (typeof found !== 'string' || found.length === 1) return NOTHING
  // A cursor is the same for all units of a character.
  const cursor = replica.getCursor(id, at)
  let low = Math.max(0, at - found.length + 1)
  let high = at
  while (low < high) {
    const middle = (low + high) >> 1
    if (replica.getCursor(id, middle) === cursor) high = middle
    else low = middle + 1
  }
  return [found.slice(0, at - low), found.slice(at - low)]
}

const NOTHING = ['', ''] as const
