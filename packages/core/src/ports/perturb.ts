/** Points in the code at which Peerplane may choose freely between two branches. Whichever branches Peerplane takes, all its guarantees hold. */
export const perturbations = [
  /** A batch ends although more commits would fit into it. */
  'short-batch',
  /** Each message that answers a request for batches contains only one batch. */
  'small-piece',
  /** Of several missing sessions, only one is requested now; the others are requested a moment later. */
  'want-one',
  /** A new batch of this device is not pushed to its peers, so they have to request it. */
  'no-push',
  /** A device tells its peers late which commits it has delivered: after the longest delay that is allowed for acknowledgements. */
  'tell-late',
  /** One gossip message that announces which commits this device holds is not sent. */
  'no-announcement',
  /** Commits that are already part of the states of entities are passed to the folding code again, which must skip them. */
  'fold-again',
  /** The stored rows of changed entities are written immediately. */
  'rows-at-once',
  /** All entities that nobody watches are removed from memory. */
  'evict-all',
] as const

export type Perturbation = (typeof perturbations)[number]

/**
 * Called each time the code reaches a point at which it may choose between two branches; returns whether to take the rare branch. In simulations, the
 * choice of the branch is random (like BUGGIFY in FoundationDB), to reach states that rarely occur in real use. Devices in real use have no `Perturb`
 * function, so they never take the rare branches.
 */
export type Perturb = (point: Perturbation) => boolean
