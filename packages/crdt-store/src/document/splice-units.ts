import { halfPair, utf8 } from '@peerplane/core'

import type { DocumentReplica } from './library.ts'
import { operationsOf } from './plain.ts'
import { isInPair } from '../text/text-diff.ts'
import type { Transaction } from './transaction.ts'

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
  transaction: Transaction,
  text: TextPlace,
  at: number,
  remove: number,
  inserted: string,
): void {
  const { replica } = transaction
  const [before] = characterAround(replica, text, at)
  const [, after] = characterAround(replica, text, at + remove)
  const whole = before + inserted + after
  if (!whole.isWellFormed()) throw halfPair()
  write(transaction, text.id, at - before.length, remove + before.length + after.length, whole)
  text.length += inserted.length - remove
  text.boundary = at + inserted.length + after.length
}

/** Checks that a command may do a splice. Throws `too-large`. */
export function checkSplice(transaction: Transaction, remove: number, inserted: string): void {
  const isLong = inserted.length > SHORT
  transaction.check(
    remove + (isLong ? operationsOf(inserted) : inserted.length),
    isLong ? utf8(inserted).length : inserted.length,
  )
}

/** Writes a splice of whole characters, in pieces that fit into one change each. */
function write(
  transaction: Transaction,
  id: string,
  at: number,
  remove: number,
  inserted: string,
): void {
  const { replica } = transaction
  let left = remove
  let done = 0
  do {
    const room = transaction.room(left + inserted.length - done)
    const removed = Math.min(left, room)
    const until = done + room - removed
    const piece = inserted.slice(done, isInPair(inserted, until) ? until + 1 : until)
    const isLast = removed === left && done + piece.length === inserted.length
    const length = isLast ? 0 : replica.length(id)
    replica.splice(id, at + done, removed, piece)
    if (isLast) return
    // Automerge has removed the whole of a character that the piece would have cut.
    left -= length + piece.length - replica.length(id)
    done += piece.length
  } while (left > 0 || done < inserted.length)
}

/** Shorter texts are not measured: a few more operations or bytes than they are counted as make no difference. */
const SHORT = 1_000

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
