import { equalBytes } from '../bytes.ts'
import { hash } from '../hash.ts'

/*
 * A Merkle tree in the shape of RFC 9162, section 2.1: n leaves are split at the largest power of two below n. Leaves are 32-byte hashes
 * from a domain of their own (sections, commits), so they are not hashed a second time; nodes have their own domain, so no node passes
 * for a leaf.
 *
 *            root
 *           /    \
 *         n       c          path of a: [b, c]
 *        / \                 path of c: [n]
 *       a   b
 */

const nodeHash = (left: Uint8Array, right: Uint8Array): Uint8Array => hash('node', left, right)

/** Returns the Merkle root over one or more leaves. */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  return rootOf(leaves, 0, leaves.length)
}

/** Returns the Merkle path from leaf `index` to the root. In the path, the hash nearest to the leaf comes first. */
export function merklePath(leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  const path: Uint8Array[] = []
  let from = 0
  let to = leaves.length
  while (to - from > 1) {
    const middle = from + splitAt(to - from)
    if (index < middle) {
      path.push(rootOf(leaves, middle, to))
      to = middle
    } else {
      path.push(rootOf(leaves, from, middle))
      from = middle
    }
  }
  return path.reverse()
}

/** Whether `path` proves that `leaf` is leaf number `index` of the `count` leaves below `root`. */
export function verifyMerklePath(
  root: Uint8Array,
  leaf: Uint8Array,
  index: number,
  count: number,
  path: readonly Uint8Array[],
): boolean {
  if (index < 0 || index >= count) return false
  const turns: ('left' | 'right')[] = []
  let from = 0
  let to = count
  while (to - from > 1) {
    const middle = from + splitAt(to - from)
    if (index < middle) {
      turns.push('left')
      to = middle
    } else {
      turns.push('right')
      from = middle
    }
  }
  if (turns.length !== path.length) return false
  let current = leaf
  for (const [level, sibling] of path.entries()) {
    const turn = turns[turns.length - 1 - level]
    current = turn === 'left' ? nodeHash(current, sibling) : nodeHash(sibling, current)
  }
  return equalBytes(current, root)
}

function rootOf(leaves: readonly Uint8Array[], from: number, to: number): Uint8Array {
  if (to - from === 1) return leaves[from]!
  const middle = from + splitAt(to - from)
  return nodeHash(rootOf(leaves, from, middle), rootOf(leaves, middle, to))
}

/** The largest power of two below `count`. */
function splitAt(count: number): number {
  let split = 1
  while (split * 2 < count) split *= 2
  return split
}
