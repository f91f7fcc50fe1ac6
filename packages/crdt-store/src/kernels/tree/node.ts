import { compareTimestamps, type Json, type Timestamp } from '@peerplane/core'

import { compareCommits } from '../commits.ts'
import type { Cell } from '../kernel.ts'
import type { LatestByDevice } from '../latest-by-device.ts'
import { compareIds, type PositionId } from '../order/position-id.ts'
import type { ShownKeys } from '../shown-keys.ts'
import { Survivors, type Made } from '../survivors.ts'
import type { HierarchyNode, NodeSpot } from './hierarchy.ts'
import { compareRanks, type Rank } from './rank.ts'

/** What an insertion or a move says: below which parent a node is, and where among its siblings. */
export interface Move extends NodeSpot<TreeNode>, Made {
  readonly rank: Rank
  readonly time: Timestamp
}

/** What is shown of a node. */
export interface Shown {
  readonly key: string
  readonly value: Json
  readonly children: readonly Shown[]
}

/**
 * A node of a tree. A node that ops name before it has come is kept too; it exists when its insertion comes.
 *
 * The other fields below `touches` are worked out from those above.
 */
export class TreeNode implements HierarchyNode<Move> {
  readonly id: PositionId
  readonly key: string
  inserted: Move | undefined = undefined
  /** Where devices have moved it, if any has. */
  moves: LatestByDevice<Move> | undefined = undefined
  /** The latest of the moves that others have superseded. */
  past: Move | undefined = undefined
  /** The changes that keep the node: while one of them survives, the node is present. */
  touches = new Survivors<Made>()
  /** Whether it was deleted for good. */
  isClosed = false
  /** Without a change, it has the initial value. */
  value: Cell | undefined = undefined

  wanted: Move | undefined = undefined
  spot: Move | undefined = undefined
  /** The nodes that ops have put here before it came. */
  waiting: Set<TreeNode> | undefined = undefined
  /** The present children, if it has ever had any. */
  children: ShownKeys<TreeNode> | undefined = undefined
  /** Whether it is shown if all nodes above it are. */
  isPresent = false
  /** 1 if it keeps the nodes above it present: if it is live and was ever moved. */
  keeps: 0 | 1 = 0
  /** How many such nodes are here and below. */
  keepers = 0
  /** Whether `shown` may be out of date. If it is, that of each node above is out of date too. */
  isStale = true
  shown: Shown | undefined = undefined
  /** How many levels `shown` has; infinite if some of them were cut off. */
  height = 0

  constructor(id: PositionId, key: string) {
    this.id = id
    this.key = key
  }

  /** Whether a touch keeps it present. */
  get isLive(): boolean {
    return this.inserted !== undefined && this.touches.size > 0
  }

  /** The latest moves of the devices, then the one before them, then where it was inserted. A closed node is on the top level. */
  spots(): readonly Move[] {
    const { inserted, past, moves } = this
    if (!inserted) return []
    if (this.isClosed) return [toTop(inserted)]
    const spots = moves ? moves.live().map(({ content }) => content!) : []
    if (past) spots.push(past)
    spots.push(inserted)
    const known = spots.filter(({ parent }) => !parent || parent.inserted)
    return known.length > 0 ? known : [toTop(spots[0]!)]
  }
}

/** A node that is not at its most wanted spot, because of a cycle, and the spot where it is. */
export interface Displaced extends Sibling {
  readonly node: TreeNode
  readonly spot: Move
}

/** The same spot on the top level. */
export const toTop = (move: Move): Move => (move.parent ? { ...move, parent: undefined } : move)

export const isSameSpot = (a: Move | undefined, b: Move | undefined): boolean =>
  a === b || (a?.parent === b?.parent && a?.rank === b?.rank)

/** Whether one move comes after another: by time, then by commit. The moves of one commit are equal. */
export const compareMoves = (a: Move, b: Move): number =>
  compareTimestamps(a.time, b.time) || compareCommits(a.commit, b.commit)

/** Of the nodes of a cycle, one was moved last. */
export const isMovedLater = (a: TreeNode, b: TreeNode): boolean =>
  (compareMoves(a.wanted!, b.wanted!) || compareIds(a.id, b.id)) > 0

/** What decides where a node is among its siblings. */
export type Sibling = Pick<TreeNode, 'id' | 'spot'>

/** Order of nodes with the same parent. */
export function compareSiblings(a: Sibling, b: Sibling): number {
  return compareRanks(a.spot?.rank ?? [], b.spot?.rank ?? []) || compareIds(a.id, b.id)
}
