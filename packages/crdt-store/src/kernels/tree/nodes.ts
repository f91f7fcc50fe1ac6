import type { Value } from '@peerplane/core'

import type { NamedCommit } from '../commits.ts'
import type { Cell } from '../kernel.ts'
import { LatestByDevice } from '../latest-by-device.ts'
import type { OpContext } from '../op-context.ts'
import { Keys, nameOf, type PositionId } from '../order/position-id.ts'
import { Survivors } from '../survivors.ts'
import { ShownKeys } from '../shown-keys.ts'
import { PART_BYTES } from '../weight.ts'
import { Hierarchy } from './hierarchy.ts'
import { carry, recount } from './keepers.ts'
import {
  compareMoves,
  compareSiblings,
  isMovedLater,
  isSameSpot,
  toTop,
  TreeNode,
  type Displaced,
  type Move,
} from './node.ts'
import type { Rank } from './rank.ts'

type Context = Pick<OpContext, 'undo'>

const none: readonly TreeNode[] = []

/** If more nodes than this have changed, looking at all nodes once is cheaper than walking up from each. */
const BULK = 100

/** The nodes of a tree: what their ops say, and where that puts them. */
export class Nodes {
  /** It stands for the tree: its children are the nodes on the top level. */
  readonly root = new TreeNode({ commit: undefined as never, index: -1 }, '')
  /** The parent of a move that names a node that does not exist and never will. */
  readonly nowhere = new TreeNode(this.root.id, '')
  readonly #nodes = new Map<string, TreeNode>()
  /** Nodes that ops name and that have not come yet, by their names. */
  readonly #expected = new Map<string, TreeNode>()
  readonly #hierarchy = new Hierarchy<TreeNode, Move>({
    nodes: () => this.#nodes.values(),
    isMovedLater,
    toTop,
    isSame: isSameSpot,
  })
  /** The nodes whose touches, or first move, may have changed what is present. */
  #changed = new Set<TreeNode>()
  readonly #keys = new Keys()

  /** A short text that stands for a node, as long as its session makes one commit at each place. */
  keyOf(id: PositionId): string {
    return this.#keys.of(id)
  }

  /** All nodes: those that exist, and those that have not come. */
  *all(): Iterable<TreeNode> {
    yield* this.#nodes.values()
    yield* this.#expected.values()
  }

  /** The node of a key, whether it is present or not. */
  at(key: string): TreeNode | undefined {
    return this.#nodes.get(key)
  }

  /** The node of an id; also one that has not come yet. `undefined` if there is none and never will be. */
  find(id: PositionId, context: Pick<OpContext, 'table' | 'undo'>): TreeNode | undefined {
    const { commit } = id
    const node = this.#nodes.get(this.keyOf(id))
    if (node)
      return commit.prefix === '' || commit.prefix === node.id.commit.prefix ? node : undefined
    // What a session has not made when it names it, it never makes.
    if (commit.prefix === '' || commit.seq <= context.table.seen(commit.session)) return undefined
    const name = nameOf(id)
    const known = this.#expected.get(name)
    if (known) return known
    const expected = new TreeNode(id, this.keyOf(id))
    this.#expected.set(name, expected)
    context.undo(() => this.#expected.delete(name))
    return expected
  }

  /** The parent of a node, if that is not on the top level; all nodes that ops have changed are at their places then. */
  parentOf(node: TreeNode): TreeNode | undefined {
    this.settle()
    return node.spot?.parent
  }

  /** Whether a node and all nodes above it are present. */
  isShown(node: TreeNode): boolean {
    this.settle()
    for (let at: TreeNode | undefined = node; at; at = at.spot?.parent) {
      if (!at.isPresent) return false
    }
    return true
  }

  /** The children of a node that are present, in their order. */
  childrenOf(parent: TreeNode): readonly TreeNode[] {
    this.settle()
    const isChild = (node: TreeNode): boolean =>
      node.isPresent && (node.spot!.parent ?? this.root) === parent
    return parent.children?.list(isChild) ?? none
  }

  /** The present nodes that are not where their latest moves put them. */
  displaced(): readonly Displaced[] {
    this.settle()
    return [...this.#hierarchy.displaced]
      .filter(([node]) => node.isPresent)
      .map(([node, spot]) => ({ node, id: node.id, spot }))
  }

  /** Whether a node that was displaced is present, and elsewhere now. */
  isAway({ node, spot }: Displaced): boolean {
    this.settle()
    return node.isPresent && !isSameSpot(node.spot, spot)
  }

  /** The nodes below a node that keep it present, shown or not; somewhat more than `most` of them at most. */
  keepersBelow(node: TreeNode, most: number): readonly TreeNode[] {
    this.settle()
    const found: TreeNode[] = []
    const open = [node]
    for (let at = open.pop(); at && found.length <= most; at = open.pop()) {
      if (at.keeps && at !== node) found.push(at)
      if (at.keepers > at.keeps) {
        open.push(...this.childrenOf(at).filter(({ keepers }) => keepers > 0))
      }
    }
    return found
  }

  insert(id: PositionId, parent: TreeNode | undefined, rank: Rank, context: OpContext): TreeNode {
    const key = this.keyOf(id)
    const name = this.#expected.size > 0 ? nameOf(id) : ''
    const expected = this.#expected.get(name)
    const node = expected ?? new TreeNode(id, key)
    if (expected) {
      this.#expected.delete(name)
      context.undo(() => this.#expected.set(name, expected))
    }
    this.#nodes.set(key, node)
    context.undo(() => this.#nodes.delete(key))
    this.#exist(node, this.#moveTo(node, parent, rank, context), context)
    this.touch(node, context)
    return node
  }

  move(
    node: TreeNode,
    parent: TreeNode | undefined,
    rank: Rank,
    names: readonly NamedCommit[],
    context: OpContext,
  ): void {
    if (node.isClosed) return
    const moves = node.moves ?? new LatestByDevice<Move>()
    this.#set(node, 'moves', moves, context)
    const move = this.#moveTo(node, parent, rank, context)
    const before = moves.live().map(({ content }) => content!)
    moves.supersede(names, context)
    moves.write(move, context)
    const live = new Set(moves.live().map(({ content }) => content))
    for (const each of [...before, move]) {
      const isLatest = !live.has(each) && !(node.past && compareMoves(each, node.past) < 0)
      if (isLatest) this.#set(node, 'past', each, context)
    }
    this.#moved(node, context)
    this.touch(node, context)
  }

  /** Says that the commit of an op keeps a node. */
  touch(node: TreeNode, context: OpContext): void {
    if (node.isClosed) return
    node.touches.supersede([], context)
    node.touches.add({ commit: context.commit }, context)
    this.#presenceChanged(node, context)
  }

  /** Takes away touches of a node. */
  remove(node: TreeNode, names: readonly NamedCommit[], context: OpContext): void {
    if (node.isClosed) return
    node.touches.supersede(names, context)
    this.#presenceChanged(node, context)
  }

  /** Deletes a node for good, with what it holds. What is below it is not shown. */
  close(node: TreeNode, context: OpContext): void {
    this.#set(node, 'isClosed', true, context)
    this.#set(node, 'touches', new Survivors(), context)
    this.#set(node, 'moves', undefined, context)
    this.#set(node, 'past', undefined, context)
    this.#set(node, 'value', undefined, context)
    this.#set(node, 'shown', undefined, context)
    this.#moved(node, context)
    this.#presenceChanged(node, context)
  }

  /** The value of a node that is not closed, to be changed. */
  valueOf(node: TreeNode, create: () => Cell, context: Context): Cell {
    if (!node.value) this.#set(node, 'value', create(), context)
    this.#markStale(node)
    context.undo(() => this.#markStale(node))
    return node.value!
  }

  /** Brings all nodes to their places, and finds which are present. */
  settle(): void {
    const moved = this.#hierarchy.settle()
    const changed = this.#changed
    if (moved.size === 0 && changed.size === 0) return
    this.#changed = new Set()
    const isBulk = moved.size + changed.size > BULK
    const above = isBulk ? undefined : new Set<TreeNode>()
    for (const node of moved.keys()) if (node.spot) this.#childChanged(node)
    for (const node of moved.keys()) {
      if (above) carry(node, -node.keepers, above)
      node.spot = undefined
    }
    for (const [node, spot] of moved) {
      node.spot = spot
      if (above) carry(node, node.keepers, above)
    }
    for (const node of moved.keys()) if (node.spot) this.#childChanged(node)
    this.#findPresent(changed, above)
  }

  /** What a command can notice of a node, apart from its value and its children. */
  look(node: TreeNode): Value {
    this.settle()
    const { spot, isPresent } = node
    return isPresent && spot ? [spot.parent?.key ?? null, [...spot.rank]] : null
  }

  /** In the bytes of `limits.entityBytes`. */
  weigh(weighValue: (value: Cell) => number): number {
    let weight = 0
    for (const { touches, moves, past, value } of this.all()) {
      weight += PART_BYTES + touches.weight
      if (moves) weight += moves.weight
      if (past) weight += PART_BYTES
      if (value) weight += weighValue(value)
    }
    return weight
  }

  /** Adds a node from a snapshot; what it says is set afterwards. */
  restore(id: PositionId, isExpected: boolean): TreeNode {
    const node = new TreeNode(id, this.keyOf(id))
    if (isExpected) this.#expected.set(nameOf(id), node)
    else this.#nodes.set(node.key, node)
    return node
  }

  /** Brings a node that {@link restore} gave to its place. */
  restored(node: TreeNode): void {
    this.#hierarchy.changed(node)
    this.#changed.add(node)
  }

  /** Has a node be put in its place again when a parent comes that ops name. */
  await(parent: TreeNode, node: TreeNode): void {
    if (parent.inserted || parent === this.nowhere) return
    parent.waiting ??= new Set()
    parent.waiting.add(node)
  }

  /** Has the place of a node found again. */
  #moved(node: TreeNode, context: Context): void {
    this.#hierarchy.changed(node)
    context.undo(() => this.#hierarchy.changed(node))
  }

  #exist(node: TreeNode, inserted: Move, context: Context): void {
    const put = (move: Move | undefined): void => {
      node.inserted = move
      this.#hierarchy.changed(node)
      for (const each of node.waiting ?? none) this.#hierarchy.changed(each)
    }
    put(inserted)
    context.undo(() => put(undefined))
  }

  #moveTo(node: TreeNode, parent: TreeNode | undefined, rank: Rank, context: OpContext): Move {
    if (parent) this.await(parent, node)
    return { parent, rank, time: context.origin.time, commit: context.commit }
  }

  #set<Field extends 'moves' | 'past' | 'touches' | 'isClosed' | 'value' | 'shown'>(
    node: TreeNode,
    field: Field,
    value: TreeNode[Field],
    context: Context,
  ): void {
    const before = node[field]
    if (before === value) return
    node[field] = value
    context.undo(() => {
      node[field] = before
    })
  }

  #presenceChanged(node: TreeNode, context: Context): void {
    this.#changed.add(node)
    context.undo(() => this.#changed.add(node))
  }

  /** Finds which nodes are present: `changed`, and the nodes `above` those that have moved; without `above`, all. */
  #findPresent(changed: ReadonlySet<TreeNode>, above: Set<TreeNode> | undefined): void {
    for (const node of changed) {
      const before = node.keeps
      node.keeps = node.isLive && node.moves ? 1 : 0
      if (above && node.keeps !== before) {
        node.keepers += node.keeps - before
        carry(node, node.keeps - before, above)
      }
    }
    if (!above) recount([...this.#nodes.values()])
    for (const node of above ? [...changed, ...above] : [...changed, ...this.#nodes.values()]) {
      const isPresent = node.isLive || (node.keepers > 0 && !node.isClosed)
      if (isPresent === node.isPresent) continue
      node.isPresent = isPresent
      if (node.spot) this.#childChanged(node)
    }
  }

  /** Has the parent of a node shown again. */
  #childChanged(node: TreeNode): void {
    const above = node.spot!.parent ?? this.root
    above.children ??= new ShownKeys<TreeNode>(compareSiblings)
    above.children.changed(node)
    node.isStale = true
    this.#markStale(above)
  }

  #markStale(node: TreeNode): void {
    for (let at: TreeNode | undefined = node; at && !at.isStale; at = at.spot?.parent) {
      at.isStale = true
    }
    this.root.isStale = true
  }
}
