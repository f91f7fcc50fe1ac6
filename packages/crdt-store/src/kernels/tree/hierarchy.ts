/** Where a node may be: below a parent, or on the top level. */
export interface NodeSpot<N> {
  readonly parent: N | undefined
}

/** A node as a hierarchy sees it. */
export interface HierarchyNode<S> {
  /** Where the node may be, the most wanted spot first; no spot for a node that does not exist. Each parent exists. */
  spots(): readonly S[]
  /** Its most wanted spot. */
  wanted: S | undefined
  /** Whether it is on the top level for good, and nothing below it counts. */
  readonly isClosed: boolean
  /** Where it is. The owner of the hierarchy sets it, as {@link Hierarchy.settle} says. */
  spot: S | undefined
}

interface HierarchyOptions<N, S> {
  /** All nodes that exist. */
  readonly nodes: () => Iterable<N>
  /** Whether the most wanted spot of a node is of a later move than that of another. */
  readonly isMovedLater: (a: N, b: N) => boolean
  /** The same spot on the top level. */
  readonly toTop: (spot: S) => S
  readonly isSame: (a: S | undefined, b: S | undefined) => boolean
}

/**
 * Finds where each node is. A node is at its most wanted spot, unless these spots make a cycle. Of each cycle, the node that was moved last goes to
 * the first of its other spots whose parent is not cut off, or to the top level. Nodes are cut off from which the most wanted spots lead into a cycle,
 * or to a closed node.
 *
 * The result depends only on the spots, and not on the order in which they change. It has no cycle: the nodes that are not cut off form a tree, and
 * each cycle, with all that is below it, becomes a branch of this tree.
 *
 * Most changes cost one walk from the node to the top level. Only a change that makes or ends a cycle costs a look at all nodes, once for all
 * changes since the last look.
 */
export class Hierarchy<N extends HierarchyNode<S>, S extends NodeSpot<N>> {
  readonly #nodes: () => Iterable<N>
  readonly #isMovedLater: (a: N, b: N) => boolean
  readonly #toTop: (spot: S) => S
  readonly #isSame: (a: S | undefined, b: S | undefined) => boolean
  #changed = new Set<N>()
  /** The nodes that are cut off; empty if there is no cycle. */
  #cutOff: ReadonlySet<N> = new Set()
  /** The nodes that are not at their most wanted spot. */
  #displaced: ReadonlyMap<N, S> = new Map()

  constructor({ nodes, isMovedLater, toTop, isSame }: HierarchyOptions<N, S>) {
    this.#nodes = nodes
    this.#isMovedLater = isMovedLater
    this.#toTop = toTop
    this.#isSame = isSame
  }

  /** Says that the spots of a node may have changed. */
  changed(node: N): void {
    this.#changed.add(node)
  }

  /** Finds where all nodes are now. Returns the nodes that are elsewhere than at their `spot`, and where. */
  settle(): ReadonlyMap<N, S | undefined> {
    const moved = new Map<N, S | undefined>()
    if (this.#changed.size === 0) return moved
    const changed = this.#changed
    this.#changed = new Set()
    for (const node of changed) node.wanted = node.spots()[0]
    const put = (node: N): void => {
      const spot = this.#displaced.get(node) ?? node.wanted
      if (!this.#isSame(node.spot, spot)) moved.set(node, spot)
    }
    if (!this.#stayRooted(changed)) {
      const before = this.#cutOff
      this.#cutOff = this.#findCycles()
      for (const node of before) put(node)
      for (const node of this.#cutOff) put(node)
    }
    for (const node of changed) put(node)
    return moved
  }

  /** The nodes that are displaced because of a cycle, and where they are. */
  get displaced(): ReadonlyMap<N, S> {
    return this.#displaced
  }

  /** Whether all cycles are as they were, and all nodes that are cut off. */
  #stayRooted(nodes: ReadonlySet<N>): boolean {
    const seen = new Map<N, N>()
    for (const node of nodes) {
      const { nodes: path, isCycle, end } = walk(node, seen)
      if (isCycle || path.some((each) => this.#cutOff.has(each))) return false
      if (this.#cutOff.size > 0 && !end && path.at(-1)?.isClosed) return false
    }
    return true
  }

  /** Finds all cycles again, and where the node of each goes that was moved last. Returns the nodes that are cut off. */
  #findCycles(): ReadonlySet<N> {
    const seen = new Map<N, N>()
    const cutOff = new Set<N>()
    const last: N[] = []
    for (const node of this.#nodes()) {
      const { nodes, isCycle, end } = walk(node, seen)
      if (isCycle) last.push(this.#lastMoved(end!))
      const isCutOff = end ? isCycle || cutOff.has(end) : nodes.at(-1)!.isClosed
      if (isCutOff) for (const each of nodes) cutOff.add(each)
    }
    this.#displaced = new Map(
      last.map((node) => {
        const others = node.spots().slice(1)
        const spot = others.find(({ parent }) => !parent || !cutOff.has(parent))
        return [node, spot ?? this.#toTop(node.wanted!)]
      }),
    )
    return last.length > 0 ? cutOff : new Set()
  }

  /** The node of a cycle that was moved last. */
  #lastMoved(start: N): N {
    let last = start
    for (let at = start.wanted!.parent!; at !== start; at = at.wanted!.parent!) {
      if (this.#isMovedLater(at, last)) last = at
    }
    return last
  }
}

interface Path<N> {
  /** The nodes that no earlier walk has met. */
  readonly nodes: readonly N[]
  /** The node that ended the walk, unless it came to the top level. */
  readonly end: N | undefined
  /** Whether the walk met its end for the second time. */
  readonly isCycle: boolean
}

/** Walks from a node along wanted spots to the top level, or to a node that a walk has met; `seen` says in whose walk each was met first. */
function walk<N extends HierarchyNode<NodeSpot<N>>>(node: N, seen: Map<N, N>): Path<N> {
  const nodes: N[] = []
  let at: N | undefined = node
  while (at && !seen.has(at)) {
    seen.set(at, node)
    nodes.push(at)
    at = at.wanted?.parent
  }
  return { nodes, end: at, isCycle: nodes.length > 0 && at !== undefined && seen.get(at) === node }
}
