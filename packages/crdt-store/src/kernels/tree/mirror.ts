import { limits, type Json } from '@peerplane/core'

import type { Cell } from '../kernel.ts'
import type { Shown, TreeNode } from './node.ts'
import type { Nodes } from './nodes.ts'

/** Shows the nodes of a tree that are present, and below nodes that are present. What is as it was is shown by the same objects. */
export function showNodes(
  nodes: Nodes,
  showValue: (value: Cell | undefined) => Json,
  before: readonly Shown[],
): readonly Shown[] {
  const { shown } = new Mirror(nodes, showValue).below(nodes.root, 0, before)
  nodes.root.isStale = false
  return shown
}

interface Below {
  readonly shown: readonly Shown[]
  /** How many levels these are; infinite if what is below the last level is shown on the last level. */
  readonly height: number
}

interface Put {
  readonly children: readonly Shown[]
  readonly height: number
  /** What the mirror has shown at this place. */
  readonly last: Shown | undefined
}

/** What is shown of no nodes. */
export const none: readonly Shown[] = Object.freeze([])

/** The levels of a tree are limited, so nothing that reads a mirror meets one of any depth. */
const LEVELS = limits.treeLevels

class Mirror {
  readonly #nodes: Nodes
  readonly #showValue: (value: Cell | undefined) => Json

  constructor(nodes: Nodes, showValue: (value: Cell | undefined) => Json) {
    this.#nodes = nodes
    this.#showValue = showValue
  }

  /** What is below a node on `level`. */
  below(node: TreeNode, level: number, before: readonly Shown[]): Below {
    const children = this.#nodes.childrenOf(node)
    if (children.length === 0) return { shown: none, height: 0 }
    if (level + 1 === LEVELS) return this.#flat(children, before)
    let height = 0
    const shown = children.map((child, i) => {
      const one = this.#show(child, level + 1, before[i])
      height = Math.max(height, child.height)
      return one
    })
    return { shown: same(shown, before), height }
  }

  #show(node: TreeNode, level: number, before: Shown | undefined): Shown {
    const fits = level + node.height - 1 <= LEVELS
    // A command that was taken back may have left a copy of what the mirror shows.
    const isCopy = before?.key === node.key && before !== node.shown
    if (node.shown && !node.isStale && fits && !isCopy) return node.shown
    const last = before?.key === node.key ? before : node.shown
    const { shown, height } = this.below(node, level, last?.children ?? none)
    return this.#put(node, { children: shown, height: height + 1, last })
  }

  /** The nodes of the last level, each followed by all that is below it. */
  #flat(children: readonly TreeNode[], before: readonly Shown[]): Below {
    const shown: Shown[] = []
    let height = 1
    const open = children.toReversed()
    for (let node = open.pop(); node; node = open.pop()) {
      const inner = this.#nodes.childrenOf(node)
      if (inner.length > 0) height = Number.POSITIVE_INFINITY
      const last = before[shown.length]
      shown.push(this.#put(node, { children: none, height: inner.length > 0 ? height : 1, last }))
      for (let i = inner.length - 1; i >= 0; i--) open.push(inner[i]!)
    }
    return { shown: same(shown, before), height }
  }

  #put(node: TreeNode, { children, height, last }: Put): Shown {
    const { key } = node
    const value = this.#showValue(node.value)
    const isSame = (shown: Shown | undefined): shown is Shown =>
      shown?.key === key && shown.value === value && shown.children === children
    // After a command that was taken back, what was shown last stands only in the mirror.
    const before = [last, node.shown].find(isSame)
    node.shown = before ?? Object.freeze({ key, value, children })
    node.height = height
    node.isStale = false
    return node.shown
  }
}

/** What is shown now, or what was shown before if that is the same. */
function same(shown: Shown[], before: readonly Shown[]): readonly Shown[] {
  const isSame = shown.length === before.length && shown.every((each, i) => each === before[i])
  return isSame ? before : Object.freeze(shown)
}
