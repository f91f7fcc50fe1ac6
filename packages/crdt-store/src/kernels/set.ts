import type { Json, SetHandle } from '@peerplane/core'

import {
  checkElement,
  elementOf,
  noElements,
  readElement,
  showElements,
  type ElementKey,
} from './elements.ts'
import { Entries, inGeneration, readGeneration } from './entries.ts'
import { touch, type Cell, type CellAccess, type Kernel } from './kernel.ts'
import { readOp } from './op.ts'
import { OtherKind } from './other-kind.ts'

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
  create: () => ({
    mirror: noElements,
    stale: false,
    entries: new Entries(() => undefined),
  }),

  apply(cell, op, context) {
    const fields = readOp(op, 'set')
    if (fields instanceof OtherKind) return fields
    const { entries } = cell
    const element = readElement(fields[1], context.bodyBytes)
    entries.noticeTouch(element, context)
    if (fields[0] === 1) {
      const entry = entries.enter(element, readGeneration(fields[2]), context)
      if (entry) entries.touch(element, entry, context)
    } else entries.applyRemoval(element, fields[2], readGeneration(fields[3]), context)
    touch(cell, context)
    return undefined
  },

  weigh: ({ entries }) => entries.weigh(() => 0),

  show(cell) {
    if (!cell) return noElements
    if (cell.stale) {
      cell.mirror = showElements(cell.entries.keys(), cell.mirror as readonly Json[])
      cell.stale = false
    }
    return cell.mirror
  },

  handle: (place) => setHandle(place),

  save: ({ entries }, table) => entries.save(table, () => undefined),

  load(saved, table) {
    const cell = setKernel.create()
    cell.entries.load(
      saved,
      table,
      (value) => readElement(value, Infinity),
      () => undefined,
    )
    cell.stale = true
    return cell
  },
}

function setHandle(access: CellAccess<SetCell>): SetHandle<Json> {
  const { draft } = access
  const has = (element: ElementKey): boolean => access.cell()?.entries.isPresent(element) ?? false
  return Object.freeze({
    get values() {
      return setKernel.show(access.cell()) as readonly Json[]
    },
    has: (element: Json) => has(checkElement(element)),
    add: (given: Json) => {
      const element = checkElement(given)
      const entries = access.cell()?.entries
      // An addition by another session is repeated: its device can revoke it by a fork.
      if (entries?.isTouchedBy(element, draft.table)) return
      access.write(
        inGeneration([1, elementOf(element)], entries?.nextGeneration(element, draft) ?? 0),
      )
    },
    delete: (given: Json) => {
      const element = checkElement(given)
      if (!has(element)) return
      const { entries } = access.cell()!
      const names = entries.removal(element, false, draft)
      access.write(
        inGeneration([2, elementOf(element), names], entries.nextGeneration(element, draft)),
      )
    },
  })
}
