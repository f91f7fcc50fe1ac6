import { PeerplaneError, type SetHandle, type Value } from '@peerplane/core'

import { readRefs, toRefs, type NamedCommit } from './commits.ts'
import { readNames, readOp, readPairs } from './op.ts'
import { OtherKind } from './other-kind.ts'
import { place, some, touch, type Cell, type Kernel, type CellAccess } from './kernel.ts'
import type { OpContext } from './op-context.ts'
import { allKeys, ShownKeys } from './shown-keys.ts'
import { Survivors, type Made } from './survivors.ts'
import { items } from './void.ts'
import { checkText, compareKeys, readText } from './values.ts'
import { PART_BYTES } from './weight.ts'

type Element = string | number

interface SetCell extends Cell {
  readonly elements: Map<Element, Survivors<Made>>
  /** Those that are present. */
  readonly sorted: ShownKeys<Element>
}

/*
 *   add       [1, element, superseded commits]
 *   delete    [2, element, superseded commits]
 *   removal   [element, superseded commits, …]
 *
 * Each also supersedes the earlier addition of these elements by its own session.
 */

/** An add-wins set (the optimised OR-set of Bieniusa and others 2012): a deletion takes back the additions that its author saw. */
export const setKernel: Kernel<SetCell> = {
  kind: 'set',
  create: () => ({
    mirror: none,
    stale: false,
    elements: new Map(),
    sorted: new ShownKeys(compareKeys),
  }),

  apply(cell, op, context) {
    const fields = readOp(op, 'set')
    if (fields instanceof OtherKind) return fields
    const [kind, element, superseded] = fields
    const commits = readRefs(superseded, context.table)
    change(cell, readElement(element), commits, kind === 1, context)
    return undefined
  },

  remove(cell, observed, context) {
    const pairs = readPairs(observed, 'set')
    if (pairs instanceof OtherKind) return pairs
    for (const [element, superseded] of pairs) {
      const commits = readNames(superseded, 'set', context.table)
      if (commits instanceof OtherKind) return commits
      change(cell, readElement(element), commits, false, context)
    }
    return undefined
  },

  observe(cell, table) {
    const pairs: Value[] = []
    for (const [element, added] of cell.elements) {
      if (added.size > 0) pairs.push(element, toRefs(added.commits(), table))
    }
    return pairs.length > 0 ? pairs : undefined
  },

  isLive: (cell) => some(cell.elements.values(), ({ size }) => size > 0),
  isBlank: (cell) => cell.elements.size === 0,

  weigh({ elements }) {
    let weight = 0
    for (const [element, added] of elements) {
      weight += PART_BYTES + (typeof element === 'string' ? element.length : 0) + added.weight
    }
    return weight
  },

  show(cell) {
    if (!cell) return none
    if (cell.stale) {
      const before = cell.mirror as readonly Element[]
      const now = present(cell)
      const isSame = now.length === before.length && now.every((each, i) => each === before[i])
      if (!isSame) cell.mirror = now.length > 0 ? Object.freeze(now) : none
      cell.stale = false
    }
    return cell.mirror
  },

  handle: (place) => setHandle(place),

  save(cell, table) {
    const saved: Value[] = []
    for (const element of allKeys(present(cell), cell.elements)) {
      const added = cell.elements.get(element)!
      const expected = added.expected(table)
      if (added.size === 0 && expected.length === 0) continue
      saved.push([element, toRefs(added.commits(), table), toRefs(expected, table)])
    }
    return saved.length > 0 ? saved : undefined
  },

  load(saved, table) {
    const cell = setKernel.create()
    for (const each of items(saved)) {
      const [element, live, expected] = items(each, 3)
      const commits = readRefs(live, table).map((commit) => ({ commit }))
      const added = new Survivors<Made>(commits, readRefs(expected, table))
      cell.elements.set(readElement(element), added)
      cell.sorted.changed(readElement(element))
    }
    cell.stale = true
    return cell
  },
}

const none: readonly Element[] = Object.freeze([])

function setHandle(access: CellAccess<SetCell>): SetHandle<Element> {
  const write = (kind: 1 | 2, element: Element): void => {
    const seen = access.cell()?.elements.get(element)?.commits() ?? []
    access.write([kind, element, toRefs(seen, access.table)])
  }
  const has = (element: Element): boolean => isPresent(access.cell()?.elements.get(element))
  return Object.freeze({
    get values() {
      return setKernel.show(access.cell()) as readonly Element[]
    },
    has: (element: Element) => has(checkElement(element)),
    // An addition by another session is repeated: its device can revoke it by a fork.
    add: (element: Element) => {
      const added = access.cell()?.elements.get(checkElement(element))
      if (!added?.has(access.table.own)) write(1, element)
    },
    delete: (element: Element) => {
      if (has(checkElement(element))) write(2, element)
    },
  })
}

function change(
  cell: SetCell,
  element: Element,
  superseded: readonly NamedCommit[],
  isAdded: boolean,
  context: OpContext,
): void {
  const { elements, sorted } = cell
  const before = elements.get(element)
  const added = before ?? new Survivors()
  const { session } = context.origin
  context.draft?.changes(cell, element, () => {
    const now = elements.get(element)
    return [isPresent(now), now?.has(session) ?? false]
  })
  added.supersede(superseded, context)
  if (isAdded) added.add({ commit: context.commit }, context)
  place(elements, element, added.isBlank ? undefined : added)
  sorted.changed(element)
  context.undo(() => {
    place(elements, element, before)
    sorted.changed(element)
  })
  touch(cell, context)
}

const present = ({ elements, sorted }: SetCell): readonly Element[] =>
  sorted.list((element) => isPresent(elements.get(element)))

const isPresent = (added: Survivors<Made> | undefined): boolean =>
  added !== undefined && added.size > 0

function checkElement(element: unknown): Element {
  if (typeof element !== 'number') return checkText(element)
  if (!Number.isFinite(element)) {
    throw new PeerplaneError('invalid-input', 'a set holds texts and finite numbers')
  }
  // Minus zero is written as zero.
  return element === 0 ? 0 : element
}

const readElement = (value: Value | undefined): Element =>
  typeof value === 'number' ? value : readText(value)
