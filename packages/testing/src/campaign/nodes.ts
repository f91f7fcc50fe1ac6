import { counter, record, register, tree, type HandleOf } from '@peerplane/core'

/** Nodes, each of which says which command has planted it, and how often it was moved. */
export const nodesShape = tree(record({ label: register(''), moved: counter() }))

type Nodes = HandleOf<typeof nodesShape>

interface Input {
  readonly key: string
  readonly mark: string
  readonly by: number
}

/** Plants a node on the top level, or below one of the others. */
export function plantNode(nodes: Nodes, { key, mark, by }: Input): void {
  const all = keysOf(nodes)
  nodes
    .insert(all[(by * 5) % (all.length + 1)], by % 2 === 0 ? 'first' : 'last')
    .value.label.set(`${key} ${mark}`)
}

/** Moves all nodes that were planted with `key`, each below some other node. */
export function graftNodes(nodes: Nodes, { key, by }: Input): void {
  for (const node of plantedWith(nodes, key)) {
    const below = new Set([node, ...keysOf(nodes, node)])
    const others = keysOf(nodes).filter((each) => !below.has(each))
    nodes.get(node).moved.increment()
    nodes.move(node, others[(by * 7) % (others.length + 1)], by % 2 === 0 ? 'first' : 'last')
  }
}

/** Deletes all nodes that were planted with `key` and have no node below them. */
export function pruneNodes(nodes: Nodes, { key }: Pick<Input, 'key'>): void {
  const leaves = plantedWith(nodes, key).filter((node) => nodes.children(node).length === 0)
  for (const node of leaves) nodes.delete(node)
}

const keysOf = (nodes: Nodes, parent?: string): readonly string[] =>
  nodes.children(parent).flatMap((key) => [key, ...keysOf(nodes, key)])

const plantedWith = (nodes: Nodes, key: string): readonly string[] =>
  keysOf(nodes).filter((each) => nodes.get(each).label.value.startsWith(`${key} `))
