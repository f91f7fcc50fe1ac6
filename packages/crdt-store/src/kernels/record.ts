import { compareTexts, setProperty, type Json, type Value } from '@peerplane/core'

import { touch, type Cell, type Kernel, type CellAccess } from './kernel.ts'
import { readOp } from './op.ts'
import { below, OtherKind } from './other-kind.ts'
import type { CommitTable } from './commits.ts'
import { items } from './void.ts'
import { readText } from './values.ts'

interface RecordCell extends Cell {
  readonly fields: ReadonlyMap<string, Cell>
}

/*
 *   change    [field, op of the field]
 *
 * A field that this app does not declare comes from a newer one: its ops are passed over here and folded once it is declared.
 */

/** A record of named fields, each with a kernel of its own. */
export function recordKernel(fields: ReadonlyMap<string, Kernel>): Kernel<RecordCell> {
  const names = [...fields.keys()]
  const showAll = (valueOf: (name: string, field: Kernel) => Json): Json => {
    const mirror: { [key: string]: Json } = {}
    for (const [name, field] of fields) setProperty(mirror, name, valueOf(name, field))
    return Object.freeze(mirror)
  }
  const initial = showAll((_, field) => field.show(undefined))

  const kernel: Kernel<RecordCell> = {
    kind: 'record',
    create: () => ({
      mirror: initial,
      stale: false,
      fields: new Map([...fields].map(([name, field]) => [name, field.create()])),
    }),

    apply(cell, op, context) {
      const parts = readOp(op, 'record')
      if (parts instanceof OtherKind) return parts
      const [name, inner] = parts
      touch(cell, context)
      const key = readText(name)
      const field = fields.get(key)
      return field && below(key, field.apply(cell.fields.get(key)!, inner!, context))
    },

    weigh: (cell) =>
      names.reduce((sum, name) => sum + fields.get(name)!.weigh(cell.fields.get(name)!), 0),

    show(cell) {
      if (!cell) return initial
      if (cell.stale) {
        const before = cell.mirror as { readonly [key: string]: Json }
        const valueOf = (name: string, field: Kernel): Json => field.show(cell.fields.get(name))
        const isSame = names.every((name) => valueOf(name, fields.get(name)!) === before[name])
        if (!isSame) cell.mirror = showAll(valueOf)
        cell.stale = false
      }
      return cell.mirror
    },

    handle: (place) => recordHandle(place, fields),

    save: (cell, table) => save(cell, fields, table),

    load: (saved, table) => ({ mirror: initial, stale: true, fields: load(saved, fields, table) }),
  }
  return kernel
}

type Kernels = ReadonlyMap<string, Kernel>

function save(cell: RecordCell, fields: Kernels, table: CommitTable): Value | undefined {
  const saved: Value[] = []
  for (const name of [...fields.keys()].toSorted(compareTexts)) {
    const value = fields.get(name)!.save(cell.fields.get(name)!, table)
    if (value !== undefined) saved.push([name, value])
  }
  return saved.length > 0 ? saved : undefined
}

function load(saved: Value, fields: Kernels, table: CommitTable): ReadonlyMap<string, Cell> {
  const values = new Map(items(saved).map((each) => items(each, 2) as [string, Value]))
  const cells = new Map<string, Cell>()
  for (const [name, field] of fields) {
    const value = values.get(name)
    cells.set(name, value === undefined ? field.create() : field.load(value, table))
  }
  return cells
}

function recordHandle(place: CellAccess<RecordCell>, fields: ReadonlyMap<string, Kernel>): object {
  const handle = {}
  for (const [name, field] of fields) {
    const value = field.handle({
      cell: () => place.cell()?.fields.get(name),
      write: (op) => place.write([name, op]),
      draft: place.draft,
    })
    Object.defineProperty(handle, name, { value, enumerable: true })
  }
  return Object.freeze(handle)
}
