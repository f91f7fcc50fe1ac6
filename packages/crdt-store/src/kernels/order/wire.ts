import type { Value } from '@peerplane/core'

import { NamedCommit, type CommitTable } from '../commits.ts'
import type { OpContext } from '../op-context.ts'
import { Void, whole } from '../void.ts'
import type { Spot } from './position.ts'
import type { PositionId } from './position-id.ts'

/*
 *   id     commit, index     the commit as a ref; -1 for the commit that writes the op, -2 for the one before it in its session, and so on
 *   spot                     at the beginning
 *          side, id          0 before a parent, or 1 after it
 */

/** The items of an id in an op. */
export function idToValues({ commit, index }: PositionId, table: CommitTable): Value[] {
  const { own } = table
  return [own && table.isOwn(commit) ? commit.seq - own.seq - 1 : table.ref(commit), index]
}

/** Inverse of {@link idToValues}. Throws `Void`; also for what only a later op of the same commit makes, so that nothing depends on itself. */
export function readId(
  ref: Value | undefined,
  number: Value | undefined,
  { origin, table, index: own }: OpContext,
): PositionId {
  const index = whole(number)
  if (typeof ref !== 'number' || ref >= 0) return { commit: table.commit(ref), index }
  const seq = whole(origin.seq + 1 + ref, 1)
  if (seq === origin.seq && index >= own) throw new Void('an op names what a later op makes')
  // The prefix is left out: also its author does not know that of a commit that is being made.
  return { commit: new NamedCommit(origin.session, seq, ''), index }
}

export const spotToValues = ({ parent, side }: Spot, table: CommitTable): Value[] =>
  parent ? [side === 'before' ? 0 : 1, ...idToValues(parent, table)] : []

/** Inverse of {@link spotToValues}. Throws `Void`. */
export function readSpot(items: readonly Value[], context: OpContext): Spot {
  if (items.length === 0) return { parent: undefined, side: 'after' }
  const [side, ref, index] = items
  if (items.length !== 3 || (side !== 0 && side !== 1)) throw new Void('not a spot of a position')
  return { parent: readId(ref, index, context), side: side === 0 ? 'before' : 'after' }
}
