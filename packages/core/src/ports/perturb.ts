/** Points at which the product may choose freely: any mixture of choices keeps every guarantee. */
export const perturbations = [
  /** A batch ends although more commits would fit. */
  'short-batch',
  /** A range is served batch by batch. */
  'small-piece',
  /** One session is asked for, the others a moment later. */
  'want-one',
  /** A new batch of this device is not pushed: peers that lack it ask for it. */
  'no-push',
  /** A delivery is announced as late as an acknowledgement. */
  'tell-late',
  /** The frontier is not gossiped this time. */
  'no-announcement',
  /** What was folded is passed to folding once more, and must be skipped. */
  'fold-again',
  /** Rows are written as soon as they have changed. */
  'rows-at-once',
  /** Every entity that nobody watches leaves memory. */
  'evict-all',
] as const

export type Perturbation = (typeof perturbations)[number]

/**
 * Whether to take the rare branch at a point; called each time the point is passed. Simulations answer at random, like BUGGIFY in
 * FoundationDB, and so reach states that load and luck rarely produce. Real devices pass nothing.
 */
export type Perturb = (point: Perturbation) => boolean
