/** One change in the graph of a document. */
export interface ChangeNode {
  readonly actor: number
  /** 1, 2, 3 … for its actor. */
  readonly seq: number
  readonly lastOp: number
  readonly deps: readonly ChangeNode[]
  /** Steps back to changes whose clocks are kept. */
  readonly steps: number
  /** How many changes of each actor it knows of, itself included; kept for every `KEEP_EVERY`th change of a path. */
  readonly clock: VectorClock | undefined
}

/** By number of the actor: how many of its changes are known. It may end early: the rest is 0. */
export type VectorClock = Int32Array

/**
 * The changes that a change builds on, directly or not.
 *
 * The clocks of the last changes are at hand, others are found by going back some steps on each path: at most {@link KEEP_EVERY}, unless
 * there are very many actors.
 */
export class CausalPast {
  readonly #recent = new Map<ChangeNode, VectorClock>()

  /** The past of a change with these deps; `actors` is the number of all actors. */
  of(deps: readonly ChangeNode[], actors: number): VectorClock {
    const past = new Int32Array(actors)
    const seen = new Set<ChangeNode>()
    const stack = [...deps]
    for (let node = stack.pop(); node; node = stack.pop()) {
      const clock = node.clock ?? this.#recent.get(node)
      if (clock) merge(past, clock)
      else if (!seen.has(node)) {
        seen.add(node)
        past[node.actor] = Math.max(past[node.actor]!, node.seq)
        for (const dep of node.deps) stack.push(dep)
      }
    }
    return past
  }

  /** The next change of an actor, with what {@link of} said about its deps. */
  add(
    change: Pick<ChangeNode, 'actor' | 'seq' | 'lastOp' | 'deps'>,
    past: VectorClock,
  ): ChangeNode {
    past[change.actor] = change.seq
    const steps = 1 + change.deps.reduce((most, dep) => Math.max(most, dep.steps), 0)
    // With very many actors clocks are long, so fewer are kept: memory grows with the number of changes alone.
    const isKept = steps >= Math.max(KEEP_EVERY, past.length / 32)
    const node = { ...change, steps: isKept ? 0 : steps, clock: isKept ? past : undefined }
    if (!isKept) {
      this.#recent.set(node, past)
      const [oldest] = this.#recent.keys()
      if (this.#recent.size > RECENT && oldest) this.#recent.delete(oldest)
    }
    return node
  }
}

function merge(into: VectorClock, clock: VectorClock): void {
  for (let actor = 0; actor < clock.length; actor++) {
    if (clock[actor]! > into[actor]!) into[actor] = clock[actor]!
  }
}

/** Clocks of 4 bytes per actor are kept for one change in `KEEP_EVERY`, and for the `RECENT` latest ones. */
const KEEP_EVERY = 32
const RECENT = 64
