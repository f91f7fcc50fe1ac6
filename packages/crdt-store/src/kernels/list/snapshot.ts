import type { Value } from '@peerplane/core'

import { compareCommits, readRefs, toRefs, type CommitTable } from '../commits.ts'
import type { Kernel } from '../kernel.ts'
import { LatestByDevice } from '../latest-by-device.ts'
import { Position, type Spot } from '../order/position.ts'
import { compareIds, type PositionId } from '../order/position-id.ts'
import { Survivors, type Made } from '../survivors.ts'
import { items, Void, whole } from '../void.ts'
import { Elements, type Element, type ListPosition } from './elements.ts'

/*
 *   list       [positions, waiting, expected]
 *   positions  [commit, index, link, element, …]       each parent before what is next to it
 *   waiting    [commit, index, side, commit of the parent, index of the parent, element, …]
 *   expected   [commit, index, element, …]
 *   link       how many positions before this one its parent is listed: less than 0 if this one is before the parent; 0 for the root
 *   element    0 if a move has made the position; 1 for a closed element
 *              [value, touches, moves, expected touches]   without what is null at the end
 *              touches are null if only the insertion keeps the element; a move says the number of its position
 */

interface Format {
  readonly values: Kernel
  readonly table: CommitTable
}

/** For a snapshot; `undefined` if there is nothing to keep. */
export function saveElements(
  elements: Elements,
  values: Kernel,
  table: CommitTable,
): Value | undefined {
  const { order } = elements
  const expected = elements.expected()
  if (order.size === 0 && expected.length === 0) return undefined
  const numbers = new Map<unknown, number>()
  for (const position of order.placed()) numbers.set(position, numbers.size)
  const waiting = order.waiting()
  for (const { position } of waiting) numbers.set(position, numbers.size)
  const save = (element: Element | undefined): Value =>
    saveElement(element, { values, table }, numbers)
  const idOf = ({ commit, index }: PositionId): Value[] => [table.ref(commit), index]
  const ownOf = (position: ListPosition): Value =>
    position.owner?.first === position ? save(position.owner) : 0

  const placed: Value[] = []
  for (const position of order.placed()) {
    const { side, parent } = position
    const distance = parent instanceof Position ? numbers.get(position)! - numbers.get(parent)! : 0
    placed.push(...idOf(position), side === 'after' ? distance : -distance, ownOf(position))
  }
  return [
    placed,
    waiting.flatMap(({ position, parent }) => [
      ...idOf(position),
      position.side === 'before' ? 0 : 1,
      ...idOf(parent),
      ownOf(position),
    ]),
    expected
      .toSorted((a, b) => compareIds(a.id, b.id))
      .flatMap((each) => [...idOf(each.id), save(each)]),
  ]
}

function saveElement(
  element: Element | undefined,
  { values, table }: Format,
  numbers: ReadonlyMap<unknown, number>,
): Value {
  if (!element) return 0
  if (element.isClosed) return 1
  const { touches, moves, value, first } = element
  const commits = touches.commits()
  const isDefault = first && commits.length === 1 && compareCommits(commits[0]!, first.commit) === 0
  const expected = touches.expected(table)
  const parts: Value[] = [
    (value && values.save(value, table)) ?? null,
    isDefault ? null : toRefs(commits, table),
    moves?.save(table, (position) => [numbers.get(position)!]) ?? null,
    expected.length > 0 ? toRefs(expected, table) : null,
  ]
  while (parts.at(-1) === null) parts.pop()
  return parts
}

/** Inverse of {@link saveElements}. Throws `Void`. */
export function loadElements(saved: Value, values: Kernel, table: CommitTable): Elements {
  const [placed, waiting, expected] = items(saved, 3)
  const elements = new Elements()
  const positions: ListPosition[] = []
  const found: [PositionId, Value, ListPosition | undefined][] = []
  const idOf = (ref: Value | undefined, index: Value | undefined): PositionId => ({
    commit: table.commit(ref),
    index: whole(index),
  })
  const add = (id: PositionId, spot: Spot, element: Value): void => {
    const position: ListPosition = new Position<Element | undefined>(id, undefined)
    elements.order.add(position, spot, noJournal)
    positions.push(position)
    if (element !== 0) found.push([id, element, position])
  }
  for (const [ref, index, link, element] of groups(placed, 4)) {
    const distance = whole(link, -positions.length)
    const parent = distance === 0 ? undefined : positions[positions.length - Math.abs(distance)]
    add(idOf(ref, index), { parent, side: distance < 0 ? 'before' : 'after' }, element!)
  }
  for (const [ref, index, side, parent, parentIndex, element] of groups(waiting, 6)) {
    const spot: Spot = { parent: idOf(parent, parentIndex), side: side === 0 ? 'before' : 'after' }
    add(idOf(ref, index), spot, element!)
  }
  for (const [ref, index, element] of groups(expected, 3)) {
    found.push([idOf(ref, index), element!, undefined])
  }
  for (const [id, element, first] of found) {
    elements.restore(id, { first, ...loadElement(element, first, { values, table }, positions) })
  }
  return elements
}

type Restored = Pick<Element, 'touches' | 'moves' | 'value' | 'isClosed'>

function loadElement(
  saved: Value,
  first: ListPosition | undefined,
  { values, table }: Format,
  positions: readonly ListPosition[],
): Restored {
  if (saved === 1) {
    return { touches: new Survivors<Made>(), moves: undefined, value: undefined, isClosed: true }
  }
  const [value = null, touched = null, moved = null, expected = []] = items(saved)
  const commits = touched === null && first ? [first.commit] : readRefs(touched, table)
  const touches = new Survivors<Made>(
    commits.map((commit) => ({ commit })),
    readRefs(expected, table),
  )
  const readMove = ([number]: readonly Value[]): ListPosition => {
    const position = positions[whole(number)]
    if (!position) throw new Void('a move to a position that is not listed')
    return position
  }
  return {
    touches,
    moves: moved === null ? undefined : LatestByDevice.load(moved, table, readMove),
    value: value === null ? undefined : values.load(value, table),
    isClosed: false,
  }
}

const noJournal = { undo: (): void => undefined }

function groups(value: Value | undefined, size: number): readonly (readonly Value[])[] {
  const list = items(value)
  if (list.length % size !== 0) throw new Void('a list of another length')
  return Array.from({ length: list.length / size }, (_, i) => list.slice(i * size, (i + 1) * size))
}
