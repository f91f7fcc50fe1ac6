/** Points at which Peerplane may choose freely between two branches. Every combination of choices keeps all guarantees. */
export const perturbations = [
  /** A batch ends although more commits would fit. */
  'short-batch',
  /** Each message that serves a range contains only one batch. */
  'small-piece',
  /** Only one session is requested now; the other sessions are requested a moment later. */
  'want-one',
  /** A new batch of this device is not pushed, so peers have to request it. */
  'no-push',
  /** Delivered commits are announced as late as an acknowledgement may be sent. */
  'tell-late',
  /** One announcement of the frontier by gossip is skipped. */
  'no-announcement',
  /** Commits that are already folded are passed to folding again, which must skip them. */
  'fold-again',
  /** Changed rows are written immediately. */
  'rows-at-once',
  /** All entities that nobody watches are removed from memory. */
  'evict-all',
] as const

export type Perturbation = (typeof perturbations)[number]

/**
 * Decides whether to take the rare branch at a point, each time the code reaches this point. In simulations the decision is random (like BUGGIFY in
 * FoundationDB), to reach states that rarely occur in real use. Devices in real use have no `Perturb` function, so they never take the rare branches.
 */
export type Perturb = (point: Perturbation) => boolean
