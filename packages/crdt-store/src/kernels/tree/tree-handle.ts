import {
  limits,
  PeerplaneError,
  Rejected,
  type Item,
  type TreeHandle,
  type Value,
  type Where,
  type Wins,
} from '@peerplane/core'

import { NamedCommit } from '../commits.ts'
import { removalOf } from '../entries.ts'
import type { CellAccess, DraftPlace, Kernel } from '../kernel.ts'
import { namesOf } from '../latest-by-device.ts'
import { isRemoval } from '../op.ts'
import { idToValues } from '../order/wire.ts'
import { besidesOf } from '../where.ts'
import { compareRanks, makerOf, rankBetween, rankToValue, type Rank } from './rank.ts'
import { compareSiblings, type Displaced, type Sibling, type TreeNode } from './node.ts'
import { Nodes } from './nodes.ts'
import { CHANGE, DELETE, INSERT, MOVE, TOUCH, type TreeCell } from './ops.ts'

/** What a handler of a command gets for a tree. */
export function treeHandle(
  access: CellAccess<TreeCell>,
  values: Kernel,
  wins: Wins,
): TreeHandle<object> {
  const tree = new Editor(access)
  const get = (key: string): object =>
    values.handle({
      cell: () => tree.find(key)?.value,
      write: (op) => tree.change(key, op),
      draft: access.draft,
    })
  return Object.freeze({
    children: (parent?: string) => tree.children(parent),
    get: (key: string) => get(tree.require(key).key),
    insert: (parent?: string, where: Where = 'last'): Item<object> => {
      const key = tree.insert(parent, where)
      return Object.freeze({ key, value: get(key) })
    },
    move: (key: string, parent?: string, where: Where = 'last') => tree.move(key, parent, where),
    delete: (key: string) => tree.delete(key, wins === 'removal'),
  })
}

/** How many displaced nodes a move or deletion puts back at most. There is more than one only if old parents of displaced nodes are in other cycles. */
const MOST_PUT_BACK = 16

/** Stands for the nodes of a tree that does not exist; no op is ever applied to it. */
const noNodes = new Nodes()

/** Writes ops that change a tree. It looks for nodes each time, because a draft can be taken back. */
class Editor {
  readonly #access: CellAccess<TreeCell>
  readonly #draft: DraftPlace

  constructor(access: CellAccess<TreeCell>) {
    this.#access = access
    this.#draft = access.draft
  }

  /** The node of a key, if it is shown. */
  find(key: unknown): TreeNode | undefined {
    const node = typeof key === 'string' ? this.#nodes.at(key) : undefined
    return node && this.#nodes.isShown(node) ? node : undefined
  }

  require(key: unknown): TreeNode {
    const node = this.find(key)
    if (!node) throw new Rejected('absent', 'the tree has no node with this key')
    return node
  }

  children(parent: string | undefined): readonly string[] {
    return Object.freeze(this.#childrenOf(this.#parent(parent)).map(({ key }) => key))
  }

  insert(parent: string | undefined, where: Where): string {
    const above = this.#parent(parent)
    this.#requireRoom(above)
    const siblings = this.#childrenOf(above)
    const rank = this.#rankAt(siblings, this.#indexOf(where, siblings))
    const { index, table } = this.#draft
    const { session, seq } = table.own!
    this.#write([INSERT, this.#idOf(above), rankToValue(rank)])
    this.#touchUpwards(above)
    return this.#nodes.keyOf({ commit: new NamedCommit(session, seq, ''), index })
  }

  move(key: string, parent: string | undefined, where: Where): void {
    const node = this.require(key)
    const above = this.#parent(parent)
    for (let at = above; at; at = this.#nodes.parentOf(at)) {
      if (at === node) throw new Rejected('cycle', 'a node cannot be moved below itself')
    }
    this.#requireRoom(above)
    if (this.#isSelf(node, where) && this.#nodes.parentOf(node) === above) return
    const siblings = this.#childrenOf(above).filter((each) => each !== node)
    const index = this.#indexOf(where, siblings)
    const isOwn = node.spot !== undefined && this.#draft.table.isOwn(node.spot.commit)
    if (isOwn && this.#childrenOf(above)[index] === node) return
    const displaced = this.#nodes.displaced()
    this.#keepAbove(node)
    this.#writeMove(node, above, this.#rankAt(siblings, index))
    this.#putBack(displaced.filter(({ node: each }) => each !== node))
    this.#touchUpwards(above)
  }

  change(key: string, op: Value): void {
    const node = this.require(key)
    this.#write([CHANGE, this.#idOf(node), op])
    if (!isRemoval(op)) this.#touchUpwards(this.#nodes.parentOf(node))
  }

  /** Deletes a node, and the nodes below it that would keep it. If these are too many, it deletes the node for good. */
  delete(key: string, closes: boolean): void {
    const node = this.find(key)
    if (!node) return
    const keepers = this.#nodes.keepersBelow(node, limits.namesPerOp)
    const names = [node, ...keepers].reduce((sum, { touches }) => sum + touches.size, 0)
    const isLong = names > limits.namesPerOp
    const displaced = this.#nodes.displaced()
    this.#keepAbove(node)
    this.#write([DELETE, this.#idOf(node), removalOf(node.touches, closes || isLong, this.#draft)])
    if (!node.isClosed && !isLong) {
      for (const each of keepers) {
        this.#write([DELETE, this.#idOf(each), removalOf(each.touches, false, this.#draft)])
      }
    }
    this.#putBack(displaced)
  }

  get #nodes(): Nodes {
    return this.#access.cell()?.nodes ?? noNodes
  }

  #write(op: Value): void {
    this.#access.write(op)
  }

  #writeMove(node: TreeNode, parent: TreeNode | undefined, rank: Rank): void {
    const names = namesOf(node.moves?.live() ?? [], this.#draft.table)
    this.#write([MOVE, this.#idOf(node), this.#idOf(parent), rankToValue(rank), names])
  }

  /** Touches a node and all nodes above it, each once in a command. */
  #touchUpwards(from: TreeNode | undefined): void {
    let left = limits.treeLevels
    for (let at = from; at && left > 0; at = this.#nodes.parentOf(at), left--) {
      if (!this.#isTouched(at)) this.#write([TOUCH, this.#idOf(at)])
    }
  }

  /** Has the nodes above stay present that only a node below keeps: they must not go because `node` does. */
  #keepAbove(node: TreeNode): void {
    for (let at = this.#nodes.parentOf(node); at; at = this.#nodes.parentOf(at)) {
      if (!at.isLive) this.#write([TOUCH, this.#idOf(at)])
    }
  }

  /** Whether this command has touched the node. */
  #isTouched({ touches }: TreeNode): boolean {
    const { own } = this.#draft.table
    return own !== undefined && touches.holds(own)
  }

  /**
   * Moves displaced nodes back to where they were shown before this command ended a cycle. Otherwise an earlier move of theirs would have an effect
   * now, as if somebody had moved them.
   */
  #putBack(displaced: readonly Displaced[]): void {
    let left = displaced
    for (let moves = 0; moves < MOST_PUT_BACK; moves++) {
      const [first, ...others] = left.filter((each) => this.#nodes.isAway(each))
      if (!first) return
      left = left.filter((each) => each !== first)
      const { node, spot } = first
      const siblings = [
        ...this.#childrenOf(spot.parent).filter((each) => each !== node),
        ...others.filter((each) => each.spot.parent === spot.parent),
      ].sort(compareSiblings)
      this.#writeMove(node, spot.parent, this.#rankAt(siblings, placeOf(first, siblings)))
    }
  }

  #parent(key: string | undefined): TreeNode | undefined {
    return key === undefined ? undefined : this.require(key)
  }

  #childrenOf(parent: TreeNode | undefined): readonly TreeNode[] {
    const nodes = this.#nodes
    return nodes.childrenOf(parent ?? nodes.root)
  }

  #idOf(node: TreeNode | undefined): Value {
    return node ? idToValues(node.id, this.#draft.table) : null
  }

  /** Whether a node is to stand next to itself, where it is. */
  #isSelf({ key }: TreeNode, where: Where): boolean {
    const { before, after } = besidesOf(where)
    return key === (before ?? after)
  }

  /** The place among siblings that is meant. */
  #indexOf(where: Where, siblings: readonly TreeNode[]): number {
    if (where === 'first') return 0
    if (where === 'last') return siblings.length
    const { before, after } = besidesOf(where)
    const beside = this.require(before ?? after)
    const index = placeOf(beside, siblings)
    if (siblings[index] === beside) return before === undefined ? index + 1 : index
    throw new Rejected('absent', 'the parent has no child with this key')
  }

  /** A rank between the siblings before and after a place. */
  #rankAt(siblings: readonly Sibling[], index: number): Rank {
    const before = siblings[index - 1]?.spot?.rank
    // Forged ranks may be equal: between them is no room.
    let next = index
    while (before && siblings[next] && compareRanks(siblings[next]!.spot!.rank, before) <= 0) next++
    const { table, index: op } = this.#draft
    return rankBetween(before, siblings[next]?.spot?.rank, makerOf(table.own!, op))
  }

  #requireRoom(parent: TreeNode | undefined): void {
    let level = 1
    for (let at = parent; at && level <= limits.treeLevels; at = this.#nodes.parentOf(at)) level++
    if (level <= limits.treeLevels) return
    throw new PeerplaneError('too-large', `a tree has at most ${limits.treeLevels} levels`)
  }
}

/** The place of a node in sorted siblings, or where it belongs. */
function placeOf(node: Sibling, siblings: readonly Sibling[]): number {
  let low = 0
  let high = siblings.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareSiblings(siblings[middle]!, node) < 0) low = middle + 1
    else high = middle
  }
  return low
}
