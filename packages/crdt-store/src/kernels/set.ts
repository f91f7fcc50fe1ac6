import { PeerplaneError, type SetHandle, type Value } from '@peerplane/core'

import { Entries, inGeneration, readGeneration, readRemoval } from './entries.ts'
import { touch, type Cell, type CellAccess, type Kernel } from './kernel.ts'
import { readOp } from './op.ts'
import { OtherKind } from './other-kind.ts'
import { checkText, readText } from './values.ts'

type Element = string | number

interface SetCell extends Cell {
  readonly entries: Entries<undefined>
}

/*
 *   add       [1, element, generation?]
 *   delete    [2, element, names or null, generation?]
 */

/** An add-wins set (the optimised OR-set of Bieniusa and others 2012): a deletion takes back the additions that its author saw. */
export const setKernel: Kernel<SetCell> = {
  kind: 'set',
  create: () => ({ mirror: none, stale: false, entries: new Entries(() => undefined) }),

  apply(cell, op, context) {
    const fields = readOp(op, 'set')
    if (fields instanceof OtherKind) return fields
    const { entries } = cell
    const element = readElement(fields[1])
    context.draft?.changes(cell, element, () => entries.look(element, context.origin))
    if (fields[0] === 1) {
      const entry = entries.enter(element, readGeneration(fields[2]), context)
      if (entry) entries.touch(element, entry, context)
    } else {
      const generation = readGeneration(fields[3])
      const names = readRemoval(fields[2], generation, context.table)
      if (names) entries.remove(element, names, generation, context)
      else entries.close(element, generation, context)
    }
    touch(cell, context)
    return undefined
  },

  weigh: ({ entries }) => entries.weigh(() => 0),

  show(cell) {
    if (!cell) return none
    if (cell.stale) {
      const before = cell.mirror as readonly Element[]
      const now = cell.entries.keys()
      const isSame = now.length === before.length && now.every((each, i) => each === before[i])
      if (!isSame) cell.mirror = now.length > 0 ? Object.freeze(now) : none
      cell.stale = false
    }
    return cell.mirror
  },

  handle: (place) => setHandle(place),

  save: ({ entries }, table) => entries.save(table, () => undefined),

  load(saved, table) {
    const cell = setKernel.create()
    cell.entries.load(saved, table, readElement, () => undefined)
    cell.stale = true
    return cell
  },
}

const none: readonly Element[] = Object.freeze([])

function setHandle(access: CellAccess<SetCell>): SetHandle<Element> {
  const { draft } = access
  const has = (element: Element): boolean => access.cell()?.entries.isPresent(element) ?? false
  return Object.freeze({
    get values() {
      return setKernel.show(access.cell()) as readonly Element[]
    },
    has: (element: Element) => has(checkElement(element)),
    add: (given: Element) => {
      const element = checkElement(given)
      const entries = access.cell()?.entries
      // An addition by another session is repeated: its device can revoke it by a fork.
      if (entries?.isTouchedBy(element, draft.table)) return
      access.write(inGeneration([1, element], entries?.nextGeneration(element, draft) ?? 0))
    },
    delete: (given: Element) => {
      const element = checkElement(given)
      if (!has(element)) return
      const { entries } = access.cell()!
      const names = entries.removal(element, false, draft)
      access.write(inGeneration([2, element, names], entries.nextGeneration(element, draft)))
    },
  })
}

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
