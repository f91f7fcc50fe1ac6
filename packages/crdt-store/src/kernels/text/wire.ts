import type { Value } from '@peerplane/core'

import { NamedCommit, type CommitTable } from '../commits.ts'
import type { OpContext } from '../op-context.ts'
import { Void, whole } from '../void.ts'
import type { CharacterRange, CharacterSpot } from './characters.ts'
import type { CharacterId } from './expected.ts'

/*
 *   id      commit, offset      the commit as a ref; -1 for the commit that writes the op, -2 for the one before it in its session, and so on
 *   spot                        at the beginning
 *           side, id            0 before a character, or 1 after it
 *   range   id, id              the first and the last character, of one session
 */

function idToValues({ commit, offset }: CharacterId, table: CommitTable): Value[] {
  const { own } = table
  const isOwn = own?.session === commit.session
  return [isOwn ? commit.seq - own.seq - 1 : table.ref(commit), offset]
}

function readId(
  ref: Value | undefined,
  number: Value | undefined,
  { origin, table }: OpContext,
): CharacterId {
  const offset = whole(number)
  if (typeof ref !== 'number' || ref >= 0) return { commit: table.commit(ref), offset }
  const seq = whole(origin.seq + 1 + ref, 1)
  // The prefix is left out: also its author does not know that of a commit that is being made.
  return { commit: new NamedCommit(origin.session, seq, ''), offset }
}

export const spotToValues = ({ parent, side }: CharacterSpot, table: CommitTable): Value[] =>
  parent ? [side === 'before' ? 0 : 1, ...idToValues(parent, table)] : []

/** Inverse of {@link spotToValues}. Throws `Void`. */
export function readSpot(items: readonly Value[], context: OpContext): CharacterSpot {
  if (items.length === 0) return { parent: undefined, side: 'after' }
  const [side, ref, offset] = items
  if (items.length !== 3 || (side !== 0 && side !== 1)) throw new Void('not a spot of a text')
  return { parent: readId(ref, offset, context), side: side === 0 ? 'before' : 'after' }
}

export const rangesToValues = (ranges: readonly CharacterRange[], table: CommitTable): Value[] =>
  ranges.flatMap(({ first, last }) => [...idToValues(first, table), ...idToValues(last, table)])

/** Inverse of {@link rangesToValues}. Throws `Void`. */
export function readRanges(items: readonly Value[], context: OpContext): CharacterRange[] {
  if (items.length === 0 || items.length % 4 !== 0) throw new Void('not ranges of a text')
  return Array.from({ length: items.length / 4 }, (_, i): CharacterRange => {
    const [ref, offset, lastRef, lastOffset] = items.slice(4 * i, 4 * i + 4)
    return { first: readId(ref, offset, context), last: readId(lastRef, lastOffset, context) }
  })
}
