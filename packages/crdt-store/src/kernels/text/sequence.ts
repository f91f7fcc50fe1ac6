/** What stands in a sequence, and shows a text there. */
export class Piece {
  /** Where it stands; `undefined` while it stands nowhere. */
  block: Block | undefined = undefined
  /** What it shows; empty for most. */
  shown = ''
}

/** A part of the sequence. */
interface Part {
  above: Branch | undefined
  /** How many UTF-16 units it shows. */
  width: number
}

/** Items in a row. */
class Block implements Part {
  above: Branch | undefined
  width = 0
  /** What its items show together, unless one of them has changed. */
  shown: string | undefined = undefined
  readonly parts: Piece[]

  constructor(parts: Piece[], above: Branch | undefined) {
    this.parts = parts
    this.above = above
    for (const item of parts) {
      item.block = this
      this.width += item.shown.length
    }
  }
}

/** Parts in a row. */
class Branch implements Part {
  above: Branch | undefined
  width = 0
  readonly parts: (Block | Branch)[]

  constructor(parts: (Block | Branch)[], above: Branch | undefined) {
    this.parts = parts
    this.above = above
    for (const part of parts) {
      part.above = this
      this.width += part.width
    }
  }
}

/** More parts than this are divided. */
const MOST = 64

/** Items in their order, as a balanced tree: the index of an item, and the item at an index, are found in few steps, however many there are. */
export class Sequence {
  #root: Block | Branch

  constructor(first: Piece) {
    this.#root = new Block([first], undefined)
  }

  /** How many UTF-16 units all items show. */
  get width(): number {
    return this.#root.width
  }

  /** What all items show. */
  get shown(): string {
    let shown = ''
    for (const block of blocksIn(this.#root)) {
      block.shown ??= block.parts.reduce((all, item) => all + item.shown, '')
      shown += block.shown
    }
    return shown
  }

  insertAfter(before: Piece, item: Piece): void {
    this.#insert(before.block!, before.block!.parts.indexOf(before) + 1, item)
  }

  insertBefore(after: Piece, item: Piece): void {
    this.#insert(after.block!, after.block!.parts.indexOf(after), item)
  }

  remove(item: Piece): void {
    const block = item.block!
    block.parts.splice(block.parts.indexOf(item), 1)
    item.block = undefined
    changed(block, -item.shown.length)
    let empty: Block | Branch = block
    while (empty.parts.length === 0 && empty.above) {
      const { above }: Part = empty
      above!.parts.splice(above!.parts.indexOf(empty), 1)
      empty = above!
    }
  }

  /** Has an item show something else. */
  show(item: Piece, shown: string): void {
    const by = shown.length - item.shown.length
    item.shown = shown
    if (item.block) changed(item.block, by)
  }

  /** How much is shown before an item. */
  indexOf(item: Piece): number {
    let index = 0
    for (const each of item.block!.parts) {
      if (each === item) break
      index += each.shown.length
    }
    let part: Block | Branch = item.block!
    for (let { above } = part; above; above = above.above) {
      for (const each of above.parts) {
        if (each === part) break
        index += each.width
      }
      part = above
    }
    return index
  }

  /** The item that shows the unit at an index, which is one of those that exist. */
  at(index: number): { readonly item: Piece; readonly offset: number } {
    let left = index
    let part = this.#root
    while (part instanceof Branch) {
      for (const each of part.parts) {
        if (left < each.width) {
          part = each
          break
        }
        left -= each.width
      }
    }
    for (const item of part.parts) {
      if (left < item.shown.length) return { item, offset: left }
      left -= item.shown.length
    }
    throw new Error('a sequence has no such index')
  }

  next(item: Piece): Piece | undefined {
    const { parts } = item.block!
    return parts[parts.indexOf(item) + 1] ?? firstIn(partAfter(item.block!))
  }

  /** All items from one on. */
  *from(item: Piece): Iterable<Piece> {
    let block: Block | undefined = item.block!
    let at = block.parts.indexOf(item)
    while (block) {
      for (; at < block.parts.length; at++) yield block.parts[at]!
      block = firstBlock(partAfter(block))
      at = 0
    }
  }

  #insert(block: Block, at: number, item: Piece): void {
    block.parts.splice(at, 0, item)
    item.block = block
    changed(block, item.shown.length)
    if (block.parts.length <= MOST) return
    block.width -= widthOf(block.parts.slice(MOST / 2), (each) => each.shown.length)
    this.#divided(block, new Block(block.parts.splice(MOST / 2), block.above))
  }

  /** Has `added` stand after the part from which it was taken. */
  #divided(part: Block | Branch, added: Block | Branch): void {
    const { above } = part
    if (!above) {
      this.#root = new Branch([part, added], undefined)
      return
    }
    above.parts.splice(above.parts.indexOf(part) + 1, 0, added)
    if (above.parts.length <= MOST) return
    above.width -= widthOf(above.parts.slice(MOST / 2), ({ width }) => width)
    this.#divided(above, new Branch(above.parts.splice(MOST / 2), above.above))
  }
}

function changed(block: Block, by: number): void {
  block.shown = undefined
  block.width += by
  if (by !== 0) for (let { above } = block; above; above = above.above) above.width += by
}

const widthOf = <T>(parts: readonly T[], width: (part: T) => number): number =>
  parts.reduce((sum, part) => sum + width(part), 0)

function partAfter(part: Block | Branch): Block | Branch | undefined {
  let each = part
  for (let { above } = each; above; above = above.above) {
    const next = above.parts[above.parts.indexOf(each) + 1]
    if (next) return next
    each = above
  }
  return undefined
}

function firstBlock(part: Block | Branch | undefined): Block | undefined {
  let first = part
  while (first instanceof Branch) first = first.parts[0]
  return first
}

const firstIn = (part: Block | Branch | undefined): Piece | undefined => firstBlock(part)?.parts[0]

function* blocksIn(root: Block | Branch): Iterable<Block> {
  for (let block = firstBlock(root); block; block = firstBlock(partAfter(block))) yield block
}
