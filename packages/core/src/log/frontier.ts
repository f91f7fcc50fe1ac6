import type { SessionId } from '../ids.ts'
import type { Tip } from './tip.ts'

/** For each session, up to which commit it is held. */
export type Frontier = ReadonlyMap<SessionId, Tip>

/** Parents of a session, as its opening names them; `undefined` when the opening is not held. */
export type Lineage = (session: SessionId) => readonly Tip[] | undefined

/**
 * The frontier without the tips that a listed session implies.
 *
 * A tip is left out only if the opening of a listed session, or of one that it implies, names exactly this tip as a parent. A parent at
 * another seq is not enough: a device that published up to 10, lost the end of its log, and opened a new session on 8 must still list 10.
 * Otherwise 9 and 10 would be hidden.
 *
 *     S1: 1 … 8        S2 {parents: S1@8}: 1 2 3      frontier {S1@8, S2@3}  →  [S2@3]
 *     S1: 1 … 8 9 10   S2 {parents: S1@8}: 1 2 3      frontier {S1@10, S2@3} →  [S1@10, S2@3]
 */
export function compactFrontier(frontier: Frontier, lineage: Lineage): Tip[] {
  const implied = new Set<SessionId>()
  for (const session of frontier.keys()) {
    for (const parent of lineage(session) ?? []) {
      const held = frontier.get(parent.session)
      if (held && held.seq === parent.seq && held.mark === parent.mark) implied.add(parent.session)
    }
  }
  return [...frontier.values()].filter((tip) => !implied.has(tip.session))
}

/** The whole frontier that a list of tips implies, as far as the openings are known. Listed tips win over implied ones. */
export function expandFrontier(tips: readonly Tip[], lineage: Lineage): Map<SessionId, Tip> {
  const frontier = new Map(tips.map((tip) => [tip.session, tip]))
  const listed = new Set(frontier.keys())
  const queue = [...tips]
  for (let tip = queue.pop(); tip; tip = queue.pop()) {
    for (const parent of lineage(tip.session) ?? []) {
      if (listed.has(parent.session)) continue
      const known = frontier.get(parent.session)
      if (known && known.seq >= parent.seq) continue
      frontier.set(parent.session, parent)
      queue.push(parent)
    }
  }
  return frontier
}

/** What `theirs` holds beyond `ours`: for each session the first missing seq and the last. */
export function missing(
  ours: Frontier,
  theirs: Frontier,
): { readonly session: SessionId; readonly from: number; readonly to: number }[] {
  const ranges = []
  for (const { session, seq } of theirs.values()) {
    const held = ours.get(session)?.seq ?? 0
    if (seq > held) ranges.push({ session, from: held + 1, to: seq })
  }
  return ranges
}
