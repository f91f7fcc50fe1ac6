import { describe, Rejected, type ListHandle, type Where, type Wins } from '@peerplane/core'

import { NamedCommit } from '../commits.ts'
import { removalOf } from '../entries.ts'
import type { CellAccess, Kernel } from '../kernel.ts'
import { namesOf } from '../latest-by-device.ts'
import type { Spot } from '../order/position.ts'
import { idToValues, spotToValues } from '../order/wire.ts'
import { besidesOf } from '../where.ts'
import type { Element, Elements, ListCell, ShownItem } from './elements.ts'

interface ListParts {
  readonly values: Kernel
  readonly kernel: Kernel<ListCell>
  readonly wins: Wins
}

/** What a handler of a command gets for a list. */
export function listHandle(
  place: CellAccess<ListCell>,
  { values, kernel, wins }: ListParts,
): ListHandle<object> {
  const { draft } = place
  const { table } = draft
  const elements = (): Elements | undefined => place.cell()?.elements
  const found = (key: unknown): Element => find(elements(), key)
  const valueAt = (key: string): object =>
    values.handle({
      cell: () => elements()?.at(key)?.value,
      write: (op) => place.write([11, op, ...idToValues(found(key).id, table)]),
      draft,
    })

  return Object.freeze({
    get keys() {
      return Object.freeze(itemsOf(kernel, place).map(({ key }) => key))
    },
    get: (key: string) => valueAt(found(key).key),
    insert: (where: Where = 'last') => {
      const { session, seq } = table.own!
      const id = { commit: new NamedCommit(session, seq, ''), index: draft.index }
      place.write([10, ...spotToValues(spotAt(elements(), where), table)])
      const key = elements()!.order.keyOf(id)
      return Object.freeze({ key, value: valueAt(key) })
    },
    move: (key: string, where: Where) => {
      const element = found(key)
      const spot = spotAt(elements(), where)
      if (isSelf(element, where)) return
      const isOwn = element.current !== undefined && table.isOwn(element.current.commit)
      if (isOwn && isAt(elements()!, element, where)) return
      const names = namesOf(element.moves?.live() ?? [], table)
      place.write([12, names, ...idToValues(element.id, table), ...spotToValues(spot, table)])
    },
    delete: (key: string) => {
      const element = elements()?.at(key)
      if (!element) return
      const names = removalOf(element.touches, wins === 'removal', draft)
      place.write([13, names, ...idToValues(element.id, table)])
    },
  })
}

const itemsOf = (kernel: Kernel<ListCell>, place: CellAccess<ListCell>): readonly ShownItem[] =>
  kernel.show(place.cell()) as readonly ShownItem[]

function find(elements: Elements | undefined, key: unknown): Element {
  const element = typeof key === 'string' ? elements?.at(key) : undefined
  if (!element) throw new Rejected('absent', `the list has no element ${describe(key)}`)
  return element
}

/** Where a position is made so that it is `where` says. */
function spotAt(elements: Elements | undefined, where: Where): Spot {
  const { before, after } = besidesOf(where)
  const beside = before ?? after
  const element = beside === undefined ? undefined : find(elements, beside)
  const order = elements?.order
  if (!order) return { parent: undefined, side: 'after' }
  const position = element?.current
  if (where === 'first' || (position && after !== undefined)) return order.spotAfter(position)
  // What stands nowhere is shown at the end.
  return order.spotBefore(position)
}

/** Whether an element is to stand next to itself, where it is. */
function isSelf({ key }: Element, where: Where): boolean {
  const { before, after } = besidesOf(where)
  return key === (before ?? after)
}

/** Whether a present element is already there. */
function isAt(elements: Elements, element: Element, where: Where): boolean {
  const { before, after } = besidesOf(where)
  const isFirstOrAfter = where === 'first' || after !== undefined
  return isFirstOrAfter
    ? elements.before(element)?.key === after
    : elements.after(element)?.key === before
}
