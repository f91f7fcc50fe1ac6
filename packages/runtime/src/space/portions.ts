import type { Commit } from '@peerplane/core'

/** Bodies of this size are folded at once: the costliest ones take a few milliseconds. */
const PORTION_BYTES = 32 * 1024

/** Part of a delivery, folded without a pause. */
export interface Portion {
  readonly commits: readonly Commit[]
  /** Whether it may have taken so long that other work goes first now. */
  readonly isLarge: boolean
}

/** Commits in order, in portions that end with the commit that makes them large. */
export function* portions(commits: readonly Commit[]): IterableIterator<Portion> {
  let from = 0
  let bytes = 0
  for (const [i, { sections }] of commits.entries()) {
    for (const { body } of sections) bytes += body.length
    if (bytes < PORTION_BYTES) continue
    yield { commits: commits.slice(from, i + 1), isLarge: true }
    from = i + 1
    bytes = 0
  }
  if (from < commits.length) yield { commits: commits.slice(from), isLarge: false }
}
