import type { Value } from '@peerplane/core'

import { readRefs, toRefs, type CommitTable } from '../commits.ts'
import type { Cell } from '../kernel.ts'
import { LatestByDevice } from '../latest-by-device.ts'
import { compareIds, type PositionId } from '../order/position-id.ts'
import { Survivors, type Made } from '../survivors.ts'
import { items, Void, whole } from '../void.ts'
import type { Move, TreeNode } from './node.ts'
import { Nodes } from './nodes.ts'
import { rankToValue, readRank, type Rank } from './rank.ts'

/*
 *   nodes     [node, …]        sorted by their ids
 *   node      [commit, number, insertion or null, touches, expected, value, past, moves, isClosed?]
 *   move      [parent, rank, ms, counter, commit]
 *   parent    null for the top level, 0 for a node that does not exist and never will, otherwise [commit, number]
 */

/** The nodes for a snapshot; `undefined` if there are none. */
export function saveNodes(
  nodes: Nodes,
  table: CommitTable,
  saveValue: (value: Cell) => Value | undefined,
): Value | undefined {
  const saved = [...nodes.all()]
    .filter((node) => node.inserted || (mayCome(node, table) && !isBlank(node, table, saveValue)))
    .sort((a, b) => compareIds(a.id, b.id))
    .map((node) => saveNode(node, table, saveValue))
  return saved.length > 0 ? saved : undefined
}

/** Inverse of {@link saveNodes}. Throws `Void`. */
export function loadNodes(
  saved: Value,
  table: CommitTable,
  loadValue: (saved: Value) => Cell,
): Nodes {
  const nodes = new Nodes()
  const rows = items(saved).map((each) => items(each))
  const list = rows.map(([commit, index, inserted]) => {
    const id = { commit: table.commit(commit), index: whole(index) }
    return nodes.restore(id, inserted === null)
  })
  for (const [i, node] of list.entries()) loadNode(node, rows[i]!, { nodes, table, loadValue })
  for (const node of list) nodes.restored(node)
  return nodes
}

/** Whether a node that is named may still come. */
const mayCome = ({ id: { commit } }: TreeNode, table: CommitTable): boolean =>
  commit.seq > table.seen(commit.session)

/** Whether nothing is known of a node that has not come. */
const isBlank = (
  node: TreeNode,
  table: CommitTable,
  saveValue: (value: Cell) => Value | undefined,
): boolean =>
  node.touches.size === 0 &&
  node.touches.expected(table).length === 0 &&
  !node.moves &&
  (!node.value || saveValue(node.value) === undefined) &&
  !node.isClosed

function saveNode(
  node: TreeNode,
  table: CommitTable,
  saveValue: (value: Cell) => Value | undefined,
): Value {
  const { id, inserted, touches, value, past, moves, isClosed } = node
  const saved: Value[] = [
    table.ref(id.commit),
    id.index,
    inserted ? saveMove(inserted, table) : null,
    toRefs(touches.commits(), table),
    toRefs(touches.expected(table), table),
    value ? (saveValue(value) ?? null) : null,
    past ? saveMove(past, table) : null,
    moves?.save(table, (move) => saveMove(move, table)) ?? null,
  ]
  if (isClosed) saved.push(true)
  return saved
}

const saveMove = ({ parent, rank, time, commit }: Move, table: CommitTable): Value[] => [
  saveParent(parent, table),
  [...rank],
  time.ms,
  time.counter,
  table.ref(commit),
]

function saveParent(parent: TreeNode | undefined, table: CommitTable): Value {
  if (!parent) return null
  const { commit, index } = parent.id
  const isKnown = parent.inserted !== undefined || (index >= 0 && mayCome(parent, table))
  return isKnown ? [table.ref(commit), index] : 0
}

interface Loading {
  readonly nodes: Nodes
  readonly table: CommitTable
  readonly loadValue: (saved: Value) => Cell
}

function loadNode(
  node: TreeNode,
  row: readonly Value[],
  { nodes, table, loadValue }: Loading,
): void {
  const [, , inserted, touches, expected, value, past, moves, isClosed = false] = row
  const read = (fields: Value | undefined): Move => loadMove(node, fields, nodes, table)
  const live = readRefs(touches, table).map((commit): Made => ({ commit }))
  node.touches = new Survivors<Made>(live, readRefs(expected, table))
  if (inserted !== null) node.inserted = read(inserted)
  if (value !== null) node.value = loadValue(value!)
  if (past !== null) node.past = read(past)
  if (moves !== null) node.moves = LatestByDevice.load(moves!, table, (fields) => read(fields))
  node.isClosed = isClosed === true
}

function loadMove(
  node: TreeNode,
  saved: Value | undefined,
  nodes: Nodes,
  table: CommitTable,
): Move {
  const [at, numbers, ms, counter, ref] = items(saved)
  const parent = loadParent(at, nodes, table)
  if (parent) nodes.await(parent, node)
  return {
    parent,
    rank: loadRank(numbers),
    time: { ms: whole(ms), counter: whole(counter) },
    commit: table.commit(ref),
  }
}

function loadRank(saved: Value | undefined): Rank {
  const list = items(saved) as readonly number[]
  const [run, , op] = list.slice(-3) as [number, number, number]
  return readRank(rankToValue(list), { run, op })
}

function loadParent(
  saved: Value | undefined,
  nodes: Nodes,
  table: CommitTable,
): TreeNode | undefined {
  if (saved === null) return undefined
  if (saved === 0) return nodes.nowhere
  const [ref, number] = items(saved, 2)
  const id: PositionId = { commit: table.commit(ref), index: whole(number) }
  const parent = nodes.find(id, { table, undo: () => undefined })
  if (!parent) throw new Void('a node that is not listed')
  return parent
}
