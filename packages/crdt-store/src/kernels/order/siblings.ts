import type { SessionId } from '@peerplane/core'

/** What a session has made. */
export interface OfSession {
  readonly session: SessionId
}

/**
 * Positions on the same side of the same parent, in the order of their sessions, then of their commits, then of their numbers. Nearly always there
 * is one.
 *
 * The commits of a session are applied in their order, so the positions of one session are added one after another. Positions of many sessions are
 * kept in one list for each session: adding costs one search among the sessions, however many positions a member adds at one place.
 */
export type Siblings<P extends OfSession> = P | P[][]

/** Adds a position, which comes after all others of its session. */
export function withSibling<P extends OfSession>(
  siblings: Siblings<P> | undefined,
  added: P,
): Siblings<P> {
  if (siblings === undefined) return added
  const groups = Array.isArray(siblings) ? siblings : [[siblings]]
  const at = groupAt(groups, added)
  if (groups[at]?.[0]!.session === added.session) groups[at]!.push(added)
  else groups.splice(at, 0, [added])
  return groups
}

/** Takes back the addition of a position. */
export function withoutSibling<P extends OfSession>(
  siblings: Siblings<P>,
  added: P,
): Siblings<P> | undefined {
  if (!Array.isArray(siblings)) return undefined
  const at = groupAt(siblings, added)
  const group = siblings[at]!
  group.pop()
  if (group.length === 0) siblings.splice(at, 1)
  return siblings.length > 0 ? siblings : undefined
}

/** The sibling directly before the position that was added last of its session. */
export function siblingBefore<P extends OfSession>(siblings: Siblings<P>, added: P): P | undefined {
  if (!Array.isArray(siblings)) return undefined
  const at = groupAt(siblings, added)
  return siblings[at]!.at(-2) ?? siblings[at - 1]?.at(-1)
}

/** The sibling directly after the position that was added last of its session. */
export function siblingAfter<P extends OfSession>(siblings: Siblings<P>, added: P): P | undefined {
  if (!Array.isArray(siblings)) return undefined
  return siblings[groupAt(siblings, added) + 1]?.[0]
}

export const firstSibling = <P extends OfSession>(
  siblings: Siblings<P> | undefined,
): P | undefined => (Array.isArray(siblings) ? siblings[0]?.[0] : siblings)

export const lastSibling = <P extends OfSession>(
  siblings: Siblings<P> | undefined,
): P | undefined => (Array.isArray(siblings) ? siblings.at(-1)?.at(-1) : siblings)

/** The only one, if there is one only. */
export function onlySibling<P extends OfSession>(siblings: Siblings<P> | undefined): P | undefined {
  const last = lastSibling(siblings)
  return firstSibling(siblings) === last && allSiblings(siblings).length === 1 ? last : undefined
}

/** All of them, in order. */
export function allSiblings<P extends OfSession>(siblings: Siblings<P> | undefined): readonly P[] {
  if (siblings === undefined) return []
  return Array.isArray(siblings) ? siblings.flat() : [siblings]
}

/** Where the list of a position's session is, or belongs. */
function groupAt<P extends OfSession>(groups: readonly P[][], { session }: P): number {
  let low = 0
  let high = groups.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (groups[middle]![0]!.session < session) low = middle + 1
    else high = middle
  }
  return low
}
