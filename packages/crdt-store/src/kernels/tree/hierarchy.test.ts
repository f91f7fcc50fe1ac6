import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { Hierarchy, type HierarchyNode, type NodeSpot } from './hierarchy.ts'

interface Move extends NodeSpot<Node> {
  readonly time: number
}

const top: Move = { parent: undefined, time: 0 }

class Node implements HierarchyNode<Move> {
  readonly name: number
  moves: readonly Move[] = []
  isClosed = false
  wanted: Move | undefined = undefined
  spot: Move | undefined = undefined

  constructor(name: number) {
    this.name = name
  }

  spots(): readonly Move[] {
    return this.isClosed ? [top] : this.moves
  }
}

const isLater = (a: Node, b: Node): boolean =>
  a.wanted!.time > b.wanted!.time || (a.wanted!.time === b.wanted!.time && a.name > b.name)

const hierarchyOf = (nodes: readonly Node[]): Hierarchy<Node, Move> =>
  new Hierarchy<Node, Move>({
    nodes: () => nodes.filter(({ moves }) => moves.length > 0),
    isMovedLater: isLater,
    toTop: (move) => ({ ...move, parent: undefined }),
    isSame: (a, b) => a === b,
  })

function settle(hierarchy: Hierarchy<Node, Move>): void {
  for (const [node, spot] of hierarchy.settle()) {
    expect(node.spot).not.toBe(spot)
    node.spot = spot
  }
}

const parents = (nodes: readonly Node[]): (number | undefined)[] =>
  nodes.map(({ spot }) => spot?.parent?.name)

/** By definition, one node after the other. */
function oracle(nodes: readonly Node[]): (number | undefined)[] {
  const above = (node: Node): Node[] => {
    const path: Node[] = []
    for (let at = node.spots()[0]?.parent; at && !path.includes(at); at = at.spots()[0]?.parent) {
      path.push(at)
    }
    return path
  }
  const isInCycle = (node: Node): boolean => above(node).includes(node)
  const isCutOff = (node: Node): boolean =>
    [node, ...above(node)].some((each) => isInCycle(each) || each.isClosed)
  return nodes.map((node) => {
    const isLast =
      isInCycle(node) && above(node).every((other) => other === node || isLater(node, other))
    const spot = isLast
      ? node.moves.slice(1).find(({ parent }) => !parent || !isCutOff(parent))
      : node.spots()[0]
    return spot?.parent?.name
  })
}

const COUNT = 7
const change = fc.record({
  node: fc.nat(COUNT - 1),
  moves: fc.array(fc.record({ parent: fc.nat(COUNT), time: fc.nat(9) }), {
    minLength: 1,
    maxLength: 4,
  }),
  isClosed: fc.nat(9).map((n) => n === 0),
  isLookedAt: fc.boolean(),
})

describe('a hierarchy', () => {
  test('is what the definition gives, in whatever way it changes, and has no cycle', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const nodes = Array.from({ length: COUNT }, (_, name) => new Node(name))
        const hierarchy = hierarchyOf(nodes)
        for (const node of nodes) {
          node.moves = [top]
          hierarchy.changed(node)
        }
        const look = (): void => {
          settle(hierarchy)
          expect(parents(nodes)).toEqual(oracle(nodes))
          for (const node of nodes) {
            let steps = 0
            for (let at = node.spot?.parent; at; at = at.spot?.parent)
              expect(steps++).toBeLessThan(COUNT)
            expect(node.spot).toBe(hierarchy.displaced.get(node) ?? node.wanted)
          }
        }
        for (const { node, moves, isClosed, isLookedAt } of changes) {
          const at = nodes[node]!
          at.isClosed = isClosed
          at.moves = moves
            .map(({ parent, time }) => ({ parent: nodes[parent], time }))
            .toSorted((a, b) => b.time - a.time)
          hierarchy.changed(at)
          if (isLookedAt) look()
        }
        look()
      }),
      { numRuns: 1000 },
    )
  })

  test('of 100,000 nodes in one chain, and in one cycle, is found without a deep stack', () => {
    const nodes = Array.from({ length: 100_000 }, (_, name) => new Node(name))
    const hierarchy = hierarchyOf(nodes)
    for (const [i, node] of nodes.entries()) {
      node.moves = [{ parent: nodes[i - 1], time: i }]
      hierarchy.changed(node)
    }
    settle(hierarchy)
    nodes[0]!.moves = [{ parent: nodes.at(-1), time: 200_000 }, ...nodes[0]!.moves]
    hierarchy.changed(nodes[0]!)
    settle(hierarchy)
    expect(nodes[0]!.spot).toBe(nodes[0]!.moves[1])
    expect([...hierarchy.displaced.keys()]).toEqual([nodes[0]])
  })
})
