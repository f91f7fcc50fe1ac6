import type { Json } from '@peerplane/core'

import type { NamedCommit } from '../commits.ts'
import type { Cell } from '../kernel.ts'
import { LatestByDevice } from '../latest-by-device.ts'
import type { OpContext } from '../op-context.ts'
import { Order } from '../order/order.ts'
import { Position, type Spot } from '../order/position.ts'
import { nameOf, type PositionId } from '../order/position-id.ts'
import { Survivors, type Made } from '../survivors.ts'
import { PART_BYTES } from '../weight.ts'

export interface ListCell extends Cell {
  readonly elements: Elements
}

/** An element of a list: an entry that stands somewhere. */
export interface Element {
  readonly id: PositionId
  readonly key: string
  /** The position that was made with it; `undefined` while it is only named by ops that have come before it. */
  first: ListPosition | undefined
  /** The changes that keep the element: while one of them survives, the element is present. */
  touches: Survivors<Made>
  /** Where it was moved to. */
  moves: LatestByDevice<ListPosition> | undefined
  /** Without a change, it has the initial value. */
  value: Cell | undefined
  /** Whether it was deleted for good. */
  isClosed: boolean
  /** Where it stands; `undefined` while none of its positions is placed. */
  current: ListPosition | undefined
  /** What was shown of it last. */
  item: ShownItem | undefined
}

/** An element as it is shown. */
export type ShownItem = Readonly<{ key: string; value: Json }>

export type ListPosition = Position<Element | undefined>

/** The elements of a list. Each stands at one position: that of its latest move, or that where it was inserted. */
export class Elements {
  readonly order = new Order<Element | undefined>()
  /** Elements that ops name and that have not come yet, by their names. */
  readonly #expected = new Map<string, Element>()

  /** In the bytes of `limits.entityBytes`, without the values. */
  get weight(): number {
    let weight = this.order.weight + this.#expected.size * PART_BYTES
    for (const { touches, moves } of this.all()) weight += touches.weight + (moves?.weight ?? 0)
    return weight
  }

  /** All elements: those that are present, those that are not, and those that have not come. */
  *all(): Iterable<Element> {
    for (const position of this.order.all()) {
      if (position.owner?.first === position) yield position.owner
    }
    yield* this.#expected.values()
  }

  expected(): readonly Element[] {
    return [...this.#expected.values()]
  }

  /**
   * The elements that are present, in their order. Those without a placed position come last, in the order of their ids: the commit next to whose
   * position they were inserted has not come, or no longer counts after a fork of its session.
   */
  present(): readonly Element[] {
    const present: Element[] = []
    for (let at = this.order.next(undefined); at; at = this.order.next(at)) {
      if (stands(at)) present.push(at.owner!)
    }
    for (const { position } of this.order.waiting()) {
      const { owner } = position
      if (owner?.first === position && !owner.current && isPresent(owner)) present.push(owner)
    }
    return present
  }

  /** The element of a key, if it is present. */
  at(key: string): Element | undefined {
    const element = this.order.at(key)?.owner
    if (element?.first === undefined || element.key !== key) return undefined
    return isPresent(element) ? element : undefined
  }

  /** The element that is before a present one that stands somewhere. */
  before({ current }: Element): Element | undefined {
    let at = this.order.previous(current)
    while (at && !stands(at)) at = this.order.previous(at)
    return at?.owner
  }

  /** The element that is after a present one that stands somewhere. */
  after({ current }: Element): Element | undefined {
    let at = this.order.next(current)
    while (at && !stands(at)) at = this.order.next(at)
    return at?.owner
  }

  /** The element of an id; also one that has not come yet. `undefined` if there is none and never will be. */
  find(id: PositionId, context: OpContext): Element | undefined {
    const position = this.order.get(id)
    if (position) return position.owner?.first === position ? position.owner : undefined
    // What a session has not made when it names it, it never makes.
    if (id.commit.prefix === '') return undefined
    const name = nameOf(id)
    const known = this.#expected.get(name)
    if (known) return known
    const element = this.#create(id)
    this.#expected.set(name, element)
    context.undo(() => this.#expected.delete(name))
    return element
  }

  insert(id: PositionId, spot: Spot, context: OpContext): Element {
    const element = this.#come(id, context) ?? this.#create(id)
    const position = new Position<Element | undefined>(id, element)
    this.#set(element, 'first', position, context)
    this.touch(element, context)
    this.#place(position, spot, context)
    return element
  }

  move(
    element: Element | undefined,
    names: readonly NamedCommit[],
    to: { readonly id: PositionId; readonly spot: Spot },
    context: OpContext,
  ): void {
    // What a move makes is no element, although ops may have named it as one.
    this.#come(to.id, context)
    const position = new Position(to.id, element)
    this.#place(position, to.spot, context)
    if (!element || element.isClosed) return
    if (!element.moves) this.#set(element, 'moves', new LatestByDevice(), context)
    element.moves!.supersede(names, context)
    element.moves!.write(position, context)
    this.touch(element, context)
    this.#settle(element, context)
  }

  /** Says that the commit of an op keeps an element. */
  touch({ touches, isClosed }: Element, context: OpContext): void {
    if (isClosed) return
    touches.supersede([], context)
    touches.add({ commit: context.commit }, context)
  }

  /** The value of an element that is not closed. */
  valueOf(element: Element, create: () => Cell, context: OpContext): Cell {
    if (!element.value) this.#set(element, 'value', create(), context)
    return element.value!
  }

  /** Deletes an element for good, with all that it holds. */
  close(element: Element, context: OpContext): void {
    this.#set(element, 'isClosed', true, context)
    this.#set(element, 'touches', new Survivors(), context)
    this.#set(element, 'moves', undefined, context)
    this.#set(element, 'value', undefined, context)
    this.#set(element, 'item', undefined, context)
  }

  /** Brings back what a snapshot has of an element; `first` is in the order. */
  restore(id: PositionId, saved: Omit<Element, 'id' | 'key' | 'current' | 'item'>): void {
    const element = Object.assign(this.#create(id), saved)
    if (element.first) element.first.owner = element
    else this.#expected.set(nameOf(id), element)
    for (const { content } of element.moves?.live() ?? []) content!.owner = element
    element.current = currentOf(element)
  }

  /** The element of an id that comes now, if ops have named it before. */
  #come(id: PositionId, context: OpContext): Element | undefined {
    const name = this.#expected.size > 0 ? nameOf(id) : ''
    const element = this.#expected.get(name)
    if (!element) return undefined
    this.#expected.delete(name)
    context.undo(() => this.#expected.set(name, element))
    return element
  }

  #create(id: PositionId): Element {
    return {
      id,
      key: this.order.keyOf(id),
      first: undefined,
      touches: new Survivors(),
      moves: undefined,
      value: undefined,
      isClosed: false,
      current: undefined,
      item: undefined,
    }
  }

  #place(position: ListPosition, spot: Spot, context: OpContext): void {
    for (const { owner } of this.order.add(position, spot, context)) {
      if (owner) this.#settle(owner, context)
    }
  }

  #settle(element: Element, context: OpContext): void {
    const place = currentOf(element)
    if (place !== element.current) this.#set(element, 'current', place, context)
  }

  #set<Name extends keyof Element>(
    element: Element,
    name: Name,
    value: Element[Name],
    context: OpContext,
  ): void {
    const before = element[name]
    element[name] = value
    context.undo(() => {
      element[name] = before
    })
  }
}

/** Where an element stands: a move to a position that is not placed has no effect yet. */
function currentOf({ first, moves }: Element): ListPosition | undefined {
  const latest = moves?.live().find(({ content }) => content?.parent)
  return latest?.content ?? (first?.parent ? first : undefined)
}

const isPresent = ({ first, touches }: Element): boolean => first !== undefined && touches.size > 0

const stands = (position: ListPosition): boolean =>
  position.owner?.current === position && isPresent(position.owner)
