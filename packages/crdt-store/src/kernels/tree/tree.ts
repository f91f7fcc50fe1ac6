import type { Json, Value, Wins } from '@peerplane/core'

import { readRefs } from '../commits.ts'
import { judge, touch, type Kernel } from '../kernel.ts'
import { isRemoval, readOp } from '../op.ts'
import type { OpContext } from '../op-context.ts'
import { readId } from '../order/wire.ts'
import { below, OtherKind } from '../other-kind.ts'
import { items } from '../void.ts'
import { none, showNodes } from './mirror.ts'
import type { Shown, TreeNode } from './node.ts'
import { Nodes } from './nodes.ts'
import { CHANGE, DELETE, INSERT, MOVE, type TreeCell } from './ops.ts'
import { makerOf, readRank } from './rank.ts'
import { treeHandle } from './tree-handle.ts'
import { loadNodes, saveNodes } from './tree-save.ts'

/**
 * A tree of nodes that can be moved. The latest move of a node counts; of moves that make a cycle, the last has no effect (as in Kleppmann,
 * Mulligan, Gomes and Beresford 2022). See {@link Hierarchy} for where its node is then.
 */
export function treeKernel(values: Kernel, wins: Wins): Kernel<TreeCell> {
  const kernel: Kernel<TreeCell> = {
    kind: 'tree',
    create: () => ({ mirror: empty, stale: false, nodes: new Nodes() }),

    apply(cell, op, context) {
      const fields = readOp(op, 'tree')
      if (fields instanceof OtherKind) return fields
      const other = applyTo(cell, fields, values, context)
      touch(cell, context)
      return other
    },

    weigh: ({ nodes }) => nodes.weigh((value) => values.weigh(value)),

    show(cell) {
      if (!cell) return empty
      if (cell.stale) {
        const before = cell.mirror as unknown as readonly Shown[]
        const shown = showNodes(cell.nodes, (value) => values.show(value), before)
        cell.mirror = shown as unknown as Json
        cell.stale = false
      }
      return cell.mirror
    },

    handle: (access) => treeHandle(access, values, wins),

    save: ({ nodes }, table) => saveNodes(nodes, table, (value) => values.save(value, table)),

    load(saved, table) {
      const nodes = loadNodes(saved, table, (value) => values.load(value, table))
      return { mirror: empty, stale: true, nodes }
    },
  }
  return kernel
}

const empty = none as unknown as Json

function applyTo(
  { nodes }: TreeCell,
  [mark, at, ...rest]: readonly Value[],
  values: Kernel,
  context: OpContext,
): OtherKind | undefined {
  const maker = makerOf(context.origin, context.index)
  if (mark === INSERT) {
    const parent = readParent(at, nodes, context)
    const rank = readRank(rest[0], maker)
    const { commit, index } = context
    const key = nodes.keyOf({ commit, index })
    noticed(key, nodes, context)
    nodes.insert({ commit, index }, parent, rank, context)
    return undefined
  }
  const node = readNode(at, nodes, context)
  if (node) noticed(node.key, nodes, context)
  if (mark === MOVE) {
    const [to, rank, names] = rest
    const parent = readParent(to, nodes, context)
    const read = readRank(rank, maker)
    const named = readRefs(names, context.table)
    if (node) nodes.move(node, parent, read, named, context)
  } else if (mark === CHANGE) {
    return changeValue(nodes, node, rest[0]!, values, context)
  } else if (mark === DELETE) {
    const [names] = rest
    const named = names === null ? undefined : readRefs(names, context.table)
    if (node && named) nodes.remove(node, named, context)
    else if (node) nodes.close(node, context)
  } else if (node) nodes.touch(node, context)
  return undefined
}

/** Says that a command changes a node, or makes one. */
function noticed(key: string, nodes: Nodes, { draft }: OpContext): void {
  draft?.changesPart(nodes, key, () => {
    const node = nodes.at(key)
    return node ? nodes.look(node) : null
  })
}

function changeValue(
  nodes: Nodes,
  node: TreeNode | undefined,
  op: Value,
  values: Kernel,
  context: OpContext,
): OtherKind | undefined {
  if (!node || node.isClosed) {
    return judge(values, op, context)
  }
  const value = nodes.valueOf(node, () => values.create(), context)
  // What is in a node that the command itself has made shows only together with the node.
  const isNoticed = (): boolean => node.id.commit !== context.commit && nodes.isShown(node)
  const other = context.inside(value, isNoticed, () => values.apply(value, op, context))
  if (!other && !isRemoval(op)) nodes.touch(node, context)
  return below(node.key, other)
}

/** The node that an op names; `undefined` if it does not exist and never will. Throws `Void`. */
function readNode(
  value: Value | undefined,
  nodes: Nodes,
  context: OpContext,
): TreeNode | undefined {
  const [ref, index] = items(value, 2)
  return nodes.find(readId(ref, index, context), context)
}

function readParent(
  value: Value | undefined,
  nodes: Nodes,
  context: OpContext,
): TreeNode | undefined {
  return value === null ? undefined : (readNode(value, nodes, context) ?? nodes.nowhere)
}
