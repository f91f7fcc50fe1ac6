/** Points at which the product may choose without anybody being the wiser: any mixture of choices keeps every guarantee. */
export const perturbations = [
  /** A batch ends though more commits would go into it. */
  'short-batch',
  /** A range is served batch by batch. */
  'small-piece',
  /** One session is asked for, the others a moment later. */
  'want-one',
  /** An own batch is not pushed: whoever lacks it asks for it. */
  'no-push',
  /** What was delivered is told as late as an acknowledgement. */
  'tell-late',
  /** The frontier is not gossiped this time. */
  'no-announcement',
  /** What was folded is folded once more, and must be left out. */
  'fold-again',
  /** Rows are written as soon as they have changed. */
  'rows-at-once',
  /** Every entity that nobody watches leaves memory. */
  'evict-all',
] as const

export type Perturbation = (typeof perturbations)[number]

/**
 * Whether to take the rare way at a point, each time anew. Simulations answer at random, as with the BUGGIFY of FoundationDB, and so
 * come upon states that load and luck seldom make; everybody else leaves it out.
 */
export type Perturb = (point: Perturbation) => boolean
