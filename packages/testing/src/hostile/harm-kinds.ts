/**
 * What a hostile member does.
 *
 * - `forge`: runs, openings and proofs of forks that nobody has signed
 * - `fork`: two versions of a session, one for each honest device or both for all
 * - `lie`: sessions, commits, summaries and pages that do not exist
 * - `jam`: commits whose ancestors it keeps back, or releases later; sometimes enough to fill the room for waiting commits
 * - `sessions`: up to hundreds of sessions of a device that restarted often, chained or not, in a random order
 * - `bodies`: commits that must have no effect on what honest devices show
 */
export const harmKinds = ['forge', 'fork', 'lie', 'jam', 'sessions', 'bodies'] as const

export type HarmKind = (typeof harmKinds)[number]

/** One act of a hostile member. `roll` decides everything about it that is random. */
export interface Harm {
  readonly kind: HarmKind
  readonly member: string
  readonly roll: number
}
