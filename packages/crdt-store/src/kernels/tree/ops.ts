import type { Cell } from '../kernel.ts'
import type { Nodes } from './nodes.ts'

export interface TreeCell extends Cell {
  readonly nodes: Nodes
}

/*
 *   insert    [15, parent, rank]                a node, which is named by the commit and its number in it
 *   move      [16, node, parent, rank, names]   names: the moves of this node that the author saw
 *   change    [17, node, op of its value]
 *   delete    [18, node, names or null]         names: the touches of this node that the author saw
 *   touch     [19, node]
 *
 *   node      [commit, number]                  the parent of a node on the top level is null
 *
 * Every op but a deletion touches its node. An author also touches the nodes above, so that no deletion hides a change that its author did not see.
 */

export const [INSERT, MOVE, CHANGE, DELETE, TOUCH] = [15, 16, 17, 18, 19] as const
