import type { GrowOnlySetHandle, Json, Value } from '@peerplane/core'

import { deviceKey, type CommitTable, type DeviceKey } from './commits.ts'
import {
  checkElement,
  compareElements,
  elementOf,
  noElements,
  readElement,
  showElements,
  type ElementKey,
} from './elements.ts'
import { touch, type Cell, type CellAccess, type Kernel } from './kernel.ts'
import { readOp } from './op.ts'
import { OtherKind } from './other-kind.ts'
import { ShownKeys } from './shown-keys.ts'
import { items } from './void.ts'
import { PART_BYTES } from './weight.ts'

interface GrowOnlySetCell extends Cell {
  /** The devices that have added each element, sorted. */
  readonly added: Map<ElementKey, readonly DeviceKey[]>
  readonly sorted: ShownKeys<ElementKey>
}

/*
 *   add   [27, element]
 */

/** A grow-only set: the union of what was added. */
export const growOnlySetKernel: Kernel<GrowOnlySetCell> = {
  kind: 'grow-only-set',
  create: () => created(new Map()),

  apply(cell, op, context) {
    const fields = readOp(op, 'grow-only-set')
    if (fields instanceof OtherKind) return fields
    const key = readElement(fields[1], context.bodyBytes)
    const { added, sorted } = cell
    const before = added.get(key)
    const device = deviceKey(context.origin.device)
    if (before?.includes(device)) return undefined
    context.draft?.changesPart(cell, key, () => added.get(key)?.includes(device) ?? false)
    added.set(key, before ? [...before, device].sort() : [device])
    sorted.changed(key)
    context.undo(() => {
      if (before) added.set(key, before)
      else added.delete(key)
      sorted.changed(key)
    })
    touch(cell, context)
    return undefined
  },

  weigh({ added }) {
    let weight = 0
    for (const [key, { length }] of added) {
      weight += PART_BYTES + (typeof key === 'string' ? key.length : 0) + length * DEVICE_BYTES
    }
    return weight
  },

  show(cell) {
    if (!cell) return noElements
    if (cell.stale) {
      cell.mirror = showElements(listed(cell), cell.mirror as readonly Json[])
      cell.stale = false
    }
    return cell.mirror
  },

  handle: (place) => growOnlySetHandle(place),
  save: (cell, table) => save(cell, table),
  load: (saved, table) => load(saved, table),
}

/** What a device that has added an element weighs. */
const DEVICE_BYTES = 16

const created = (added: Map<ElementKey, readonly DeviceKey[]>): GrowOnlySetCell => ({
  mirror: noElements,
  stale: added.size > 0,
  added,
  sorted: new ShownKeys(compareElements, added.keys()),
})

const listed = ({ added, sorted }: GrowOnlySetCell): readonly ElementKey[] =>
  sorted.list((key) => added.has(key))

/*
 *   saved   [[element, device …] …]
 */

const save = (cell: GrowOnlySetCell, table: CommitTable): Value | undefined =>
  cell.added.size > 0
    ? listed(cell).map((key) => [
        elementOf(key),
        ...cell.added.get(key)!.map((device) => table.deviceRef(device)),
      ])
    : undefined

function load(saved: Value, table: CommitTable): GrowOnlySetCell {
  const added = items(saved).map((each): [ElementKey, readonly DeviceKey[]] => {
    const [element, ...devices] = items(each)
    return [readElement(element, Infinity), devices.map((ref) => table.device(ref))]
  })
  return created(new Map(added))
}

function growOnlySetHandle(access: CellAccess<GrowOnlySetCell>): GrowOnlySetHandle<Json> {
  const own = deviceKey(access.draft.table.own!.device)
  const devices = (key: ElementKey): readonly DeviceKey[] => access.cell()?.added.get(key) ?? []
  return Object.freeze({
    get values() {
      return growOnlySetKernel.show(access.cell()) as readonly Json[]
    },
    has: (element: Json) => devices(checkElement(element)).length > 0,
    // An addition by another device is repeated: that device can revoke it by a fork.
    add: (element: Json) => {
      const key = checkElement(element)
      if (!devices(key).includes(own)) access.write([27, elementOf(key)])
    },
  })
}
