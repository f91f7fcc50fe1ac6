import type { TreeNode } from './node.ts'

/*
 * A node is present if a touch keeps it, or if a node below it is kept that was ever moved. Without the second part, a change could be lost: its
 * author touches the nodes that are above the changed node where the author is, and these may be others than on the device that deletes one of them.
 * Where no node was moved, all devices see the same nodes above.
 */

/** Changes the number of keepers of all nodes above a node, and adds the nodes to `changed` that have the first one now, or have lost the last one. */
export function carry(node: TreeNode, by: number, changed: Set<TreeNode>): void {
  if (by === 0) return
  for (let at = node.spot?.parent; at; at = at.spot?.parent) {
    const before = at.keepers
    at.keepers += by
    if (before === 0 || at.keepers === 0) changed.add(at)
  }
}

/** Counts the keepers of all nodes again. */
export function recount(nodes: readonly TreeNode[]): void {
  /** How many children of a node are still to be counted. */
  const left = new Map<TreeNode, number>()
  for (const { spot } of nodes) {
    if (spot?.parent) left.set(spot.parent, (left.get(spot.parent) ?? 0) + 1)
  }
  for (const node of nodes) node.keepers = node.keeps
  const counted = nodes.filter((node) => !left.has(node))
  // It grows while all children of more nodes are counted.
  for (const { keepers, spot } of counted) {
    const parent = spot?.parent
    if (!parent) continue
    parent.keepers += keepers
    const rest = left.get(parent)! - 1
    left.set(parent, rest)
    if (rest === 0) counted.push(parent)
  }
}
