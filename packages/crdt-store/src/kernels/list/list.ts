import type { Value, Wins } from '@peerplane/core'

import { readRefs } from '../commits.ts'
import { touch, type Cell, type Kernel } from '../kernel.ts'
import { isRemoval, readOp } from '../op.ts'
import type { OpContext } from '../op-context.ts'
import type { PositionId } from '../order/position-id.ts'
import { readId, readSpot } from '../order/wire.ts'
import { below, OtherKind } from '../other-kind.ts'
import { Elements, type ListCell, type ShownItem } from './elements.ts'
import { listHandle } from './handle.ts'
import { loadElements, saveElements } from './snapshot.ts'

/*
 *   insert    [10, spot …]
 *   change    [11, op of the value, id …]
 *   move      [12, names, id …, spot …]
 *   delete    [13, names or null, id …]
 *
 * An element, and a position that it is moved to, have the id of the op that makes them.
 */

/**
 * A list of values that are inserted, moved and deleted (Kleppmann 2020, Moving Elements in List CRDTs). Where an element stands is a register of
 * positions, of which one wins, so concurrent moves make no duplicate.
 */
export function listKernel(values: Kernel, wins: Wins): Kernel<ListCell> {
  const kernel: Kernel<ListCell> = {
    kind: 'list',
    create: () => ({ mirror: empty, stale: false, elements: new Elements() }),

    apply(cell, op, context) {
      const fields = readOp(op, 'list')
      if (fields instanceof OtherKind) return fields
      const other = effects[fields[0] as Mark](cell.elements, fields, { values, context })
      touch(cell, context)
      return other
    },

    weigh({ elements }) {
      let { weight } = elements
      for (const { value } of elements.all()) if (value) weight += values.weigh(value)
      return weight
    },

    show(cell) {
      if (!cell) return empty
      if (cell.stale) {
        show(cell, values)
        cell.stale = false
      }
      return cell.mirror
    },

    handle: (place) => listHandle(place, { values, kernel, wins }),

    save: ({ elements }, table) => saveElements(elements, values, table),

    load: (saved, table) => ({
      mirror: empty,
      stale: true,
      elements: loadElements(saved, values, table),
    }),
  }
  return kernel
}

type Mark = 10 | 11 | 12 | 13

/** What each op does. What it says of an element that does not exist and never comes has no effect. */
const effects: {
  readonly [M in Mark]: (
    elements: Elements,
    op: readonly Value[],
    to: { readonly values: Kernel; readonly context: OpContext },
  ) => OtherKind | undefined
} = {
  10: (elements, [, ...spot], { context }) => {
    const { commit, index } = context
    noticed(elements, { commit, index }, context)
    elements.insert({ commit, index }, readSpot(spot, context), context)
    return undefined
  },

  11: (elements, [, op, ref, index], { values, context }) => {
    const id = readId(ref, index, context)
    const key = elements.order.keyOf(id)
    const element = elements.find(id, context)
    const isOpen = element !== undefined && !element.isClosed
    const create = (): Cell => values.create()
    const value = isOpen ? elements.valueOf(element, create, context) : create()
    // What is in an element that the command itself has inserted shows only together with the element.
    const isNoticed = (): boolean =>
      element?.first?.commit !== context.commit && elements.at(key)?.value === value
    const other = context.inside(value, isNoticed, () => values.apply(value, op!, context))
    if (other) return below(key, other)
    if (isOpen && !isRemoval(op)) elements.touch(element, context)
    return undefined
  },

  12: (elements, [, named, ref, index, ...items], { context }) => {
    const names = readRefs(named, context.table)
    const id = readId(ref, index, context)
    const spot = readSpot(items, context)
    noticed(elements, id, context)
    const { commit, index: own } = context
    elements.move(elements.find(id, context), names, { id: { commit, index: own }, spot }, context)
    return undefined
  },

  13: (elements, [, named, ref, index], { context }) => {
    const names = named === null ? null : readRefs(named, context.table)
    const id = readId(ref, index, context)
    noticed(elements, id, context)
    const element = elements.find(id, context)
    if (!element || element.isClosed) return undefined
    if (names) element.touches.supersede(names, context)
    else elements.close(element, context)
    return undefined
  },
}

/** Says that a command changes whether an element is present, where it stands, or who has put it there. */
function noticed(elements: Elements, id: PositionId, { draft, table }: OpContext): void {
  if (!draft) return
  const key = elements.order.keyOf(id)
  draft.changesPart(elements, key, () => {
    const element = elements.at(key)
    if (!element?.current) return element !== undefined
    return [elements.before(element)?.key ?? null, table.isOwn(element.current.commit)]
  })
}

const empty: readonly ShownItem[] = Object.freeze([])

function show(cell: ListCell, values: Kernel): void {
  const before = cell.mirror as readonly ShownItem[]
  const shown = cell.elements.present().map((element, i): ShownItem => {
    const { key } = element
    const value = values.show(element.value)
    const isShown = (item: ShownItem | undefined): item is ShownItem =>
      item?.key === key && item.value === value
    // A command that is taken back leaves items that were never shown.
    const item = [before[i], element.item].find(isShown) ?? Object.freeze({ key, value })
    element.item = item
    return item
  })
  const isSame = shown.length === before.length && shown.every((item, i) => item === before[i])
  if (!isSame) cell.mirror = shown.length > 0 ? Object.freeze(shown) : empty
}
