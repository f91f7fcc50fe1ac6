import type { OpContext } from '../op-context.ts'
import { PART_BYTES } from '../weight.ts'
import { Parent, Linked, Position, type Spot, type Waiting } from './position.ts'
import { compareIds, Keys, nameOf, type PositionId } from './position-id.ts'
import {
  allSiblings,
  firstSibling,
  lastSibling,
  siblingAfter,
  siblingBefore,
  withoutSibling,
  withSibling,
} from './siblings.ts'

/**
 * An order to which several devices add positions at the same time (Fugue: Weidner and Kleppmann 2023, The Art of the Fugue).
 *
 * Each position is before or after its parent, with everything below it. The order is the walk through this tree: what is before a position, the
 * position, what is after it. What one device adds in one place, forwards or backwards, is never interleaved with what another adds there.
 *
 * A position whose parent has not come yet is not placed. It is placed when its parent is placed, so the order is the same in whatever order
 * positions are added, as long as those of one session are added in their order.
 */
export class Order<Owner> {
  readonly #root = new Parent<Owner>()
  readonly #positions = new Map<string, Position<Owner>>()
  /** Positions that are not placed, by the names of their parents. */
  readonly #waiting = new Map<string, Waiting<Owner>[]>()
  readonly #keys = new Keys()
  readonly #stepsToEdge: number

  /** In a row of positions that are each after the one before, one of `stepsToEdge` knows where what is below it ends. */
  constructor(stepsToEdge = 64) {
    this.#stepsToEdge = stepsToEdge
  }

  /** How many positions there are. */
  get size(): number {
    return this.#positions.size
  }

  /** In the bytes of `limits.entityBytes`. */
  get weight(): number {
    return this.#positions.size * PART_BYTES
  }

  /** A short text that stands for a position, as long as its session makes one commit at each place. */
  keyOf(id: PositionId): string {
    return this.#keys.of(id)
  }

  get(id: PositionId): Position<Owner> | undefined {
    const found = this.#positions.get(this.keyOf(id))
    const { prefix } = id.commit
    return prefix === '' || found?.commit.prefix === prefix ? found : undefined
  }

  /** The position of a key that {@link keyOf} gave. */
  at(key: string): Position<Owner> | undefined {
    return this.#positions.get(key)
  }

  /**
   * Adds a position. Returns the positions that are placed now: none if its parent is not, otherwise also those that have waited for it.
   *
   * A position after a parent that its own session has never made is placed after the root: unlike that of another session, it never comes.
   */
  add(
    position: Position<Owner>,
    { parent: id, side }: Spot,
    context: Pick<OpContext, 'undo'>,
  ): readonly Position<Owner>[] {
    const key = this.keyOf(position)
    this.#positions.set(key, position)
    context.undo(() => this.#positions.delete(key))
    position.side = side
    const parent = id && this.get(id)
    const isUnknown = id !== undefined && !parent && id.commit.prefix !== ''
    if (isUnknown || (parent && !parent.parent)) {
      this.#wait({ position, parent: parent ?? id! }, context)
      return []
    }
    return this.#placeAll(position, parent, context)
  }

  /** Where a position directly after `position` is made; without one, at the beginning. */
  spotAfter(position: Position<Owner> | undefined): Spot {
    const { afters } = position ?? this.#root
    const next = afters && this.next(position)
    return next ? { parent: next, side: 'before' } : { parent: position, side: 'after' }
  }

  /** Where a position directly before `position` is made; without one, at the end. */
  spotBefore(position: Position<Owner> | undefined): Spot {
    return this.spotAfter(this.previous(position))
  }

  /** The placed position after `position`; without one, the first. */
  next(position: Position<Owner> | undefined): Position<Owner> | undefined {
    let link = (position ?? this.#root).next
    while (!(link instanceof Parent)) link = link.next
    return link instanceof Position ? (link as Position<Owner>) : undefined
  }

  /** The placed position before `position`; without one, the last. */
  previous(position: Position<Owner> | undefined): Position<Owner> | undefined {
    let link = (position ?? this.#root).previous
    while (!(link instanceof Parent)) link = link.previous
    return link instanceof Position ? (link as Position<Owner>) : undefined
  }

  /** All positions, placed or not. */
  all(): Iterable<Position<Owner>> {
    return this.#positions.values()
  }

  /** The placed positions, parents before those below them: the same on every device with the same positions. */
  *placed(): Iterable<Position<Owner>> {
    const stack = [allSiblings(this.#root.afters).values()]
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const { value: position } = top.next()
      if (position) {
        yield position
        stack.push(allSiblings(position.afters).values(), allSiblings(position.befores).values())
      } else stack.pop()
    }
  }

  /** The positions that are not placed, in an order that is the same on every device with the same positions. */
  waiting(): readonly Waiting<Owner>[] {
    if (this.#waiting.size === 0) return []
    return [...this.#waiting.values()].flat().sort((a, b) => compareIds(a.position, b.position))
  }

  #wait(added: Waiting<Owner>, context: Pick<OpContext, 'undo'>): void {
    const name = nameOf(added.parent)
    const waiting = this.#waiting.get(name) ?? []
    this.#waiting.set(name, waiting)
    waiting.push(added)
    context.undo(() => {
      waiting.pop()
      if (waiting.length === 0) this.#waiting.delete(name)
    })
  }

  #placeAll(
    first: Position<Owner>,
    parent: Position<Owner> | undefined,
    context: Pick<OpContext, 'undo'>,
  ): readonly Position<Owner>[] {
    this.#place(first, parent ?? this.#root, context)
    const placed = [first]
    // It grows while positions are placed that others have waited for.
    for (const position of placed) {
      const name = this.#waiting.size > 0 ? nameOf(position) : ''
      const waiting = this.#waiting.get(name)
      if (!waiting) continue
      this.#waiting.delete(name)
      context.undo(() => this.#waiting.set(name, waiting))
      for (const { position: each } of waiting) {
        this.#place(each, position, context)
        placed.push(each)
      }
    }
    return placed
  }

  #place(position: Position<Owner>, parent: Parent<Owner>, context: Pick<OpContext, 'undo'>): void {
    // Nothing is before the root.
    if (parent === this.#root) position.side = 'after'
    const { side } = position
    const isAfter = side === 'after'
    position.parent = parent
    position.steps = isOnSide(parent, side) ? parent.steps + 1 : 1
    if (isAfter) linkAfterParent(position, parent)
    else linkBeforeParent(position, parent)
    if (position.steps % this.#stepsToEdge === 0) {
      position.edge = new Linked()
      position.edge.linkAfter(isAfter ? position : position.previous)
    }
    context.undo(() => {
      position.unlink()
      position.edge?.unlink()
      position.edge = undefined
      position.parent = undefined
      if (isAfter) parent.afters = withoutSibling(parent.afters!, position)
      else parent.befores = withoutSibling(parent.befores!, position)
    })
  }
}

const isOnSide = <Owner>(branch: Parent<Owner>, side: Spot['side']): boolean =>
  branch instanceof Position && branch.side === side

function linkAfterParent<Owner>(position: Position<Owner>, parent: Parent<Owner>): void {
  parent.afters = withSibling(parent.afters, position)
  const before = siblingBefore(parent.afters, position)
  position.linkAfter(before ? endOf(before) : parent)
}

function linkBeforeParent<Owner>(position: Position<Owner>, parent: Parent<Owner>): void {
  parent.befores = withSibling(parent.befores, position)
  const after = siblingAfter(parent.befores, position)
  position.linkAfter((after ? startOf(after) : parent).previous)
}

/** The last link of a position after its parent, and of all that is below it. */
function endOf<Owner>(position: Position<Owner>): Linked {
  let last = position
  for (;;) {
    const below = last.edge ?? lastSibling(last.afters)
    if (!(below instanceof Position)) return below ?? last
    last = below
  }
}

/** The first link of a position before its parent, and of all that is below it. */
function startOf<Owner>(position: Position<Owner>): Linked {
  let first = position
  for (;;) {
    const below = first.edge ?? firstSibling(first.befores)
    if (!(below instanceof Position)) return below ?? first
    first = below
  }
}
