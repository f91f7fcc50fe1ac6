import { setProperty, type Json, type MapHandle, type Value } from '@peerplane/core'

import { place, some, touch, type Cell, type Kernel, type CellAccess } from './kernel.ts'
import { readOp, readPairs } from './op.ts'
import { below, OtherKind } from './other-kind.ts'
import type { OpContext } from './op-context.ts'
import type { CommitTable } from './commits.ts'
import { items } from './void.ts'
import { allKeys, ShownKeys } from './shown-keys.ts'
import { checkText, compareKeys, readText } from './values.ts'
import { PART_BYTES } from './weight.ts'

interface MapCell extends Cell {
  /** Cells by key, in no particular order; none is blank. */
  readonly cells: Map<string, Cell>
  /** The keys that are present. */
  readonly sorted: ShownKeys<string>
}

/*
 *   change    [3, key, op of the value]
 *   delete    [4, key, observed value]
 *   removal   [key, observed value, …]
 */

/** An observed-remove map. A key is there as long as something below it is; removing it takes back what its author saw below it. */
export function mapKernel(values: Kernel): Kernel<MapCell> {
  const isPresent = (cell: MapCell, key: string): boolean => {
    const value = cell.cells.get(key)
    return value !== undefined && values.isLive(value)
  }

  const presentKeys = (cell: MapCell): readonly string[] =>
    cell.sorted.list((key) => isPresent(cell, key))

  const kernel: Kernel<MapCell> = {
    kind: 'map',
    create: () => ({
      mirror: empty,
      stale: false,
      cells: new Map(),
      sorted: new ShownKeys<string>(compareKeys),
    }),

    apply(cell, op, context) {
      const fields = readOp(op, 'map')
      if (fields instanceof OtherKind) return fields
      const [kind, name, inner] = fields
      return change(values, cell, readText(name), context, (value) =>
        kind === 4 ? values.remove(value, inner!, context) : values.apply(value, inner!, context),
      )
    },

    remove(cell, observed, context) {
      const pairs = readPairs(observed, 'map')
      if (pairs instanceof OtherKind) return pairs
      for (const [name, inner] of pairs) {
        const other = change(values, cell, readText(name), context, (value) =>
          values.remove(value, inner, context),
        )
        if (other) return other
      }
      return undefined
    },

    observe: (cell, table) => observe(cell, values, table),

    isLive: (cell) => some(cell.cells.values(), (value) => values.isLive(value)),
    isBlank: (cell) => cell.cells.size === 0,

    weigh({ cells }) {
      let weight = 0
      for (const [key, value] of cells) weight += PART_BYTES + key.length + values.weigh(value)
      return weight
    },

    show(cell) {
      if (!cell) return empty
      if (cell.stale) {
        show(cell, presentKeys(cell), (key) => values.show(cell.cells.get(key)))
        cell.stale = false
      }
      return cell.mirror
    },

    handle: (place) => mapHandle(place, values, kernel, isPresent),

    save: (cell, table) => save(cell, presentKeys(cell), values, table),

    load: (saved, table) => load(saved, values, table),
  }
  return kernel
}

/** Changes what is at a key. */
function change(
  values: Kernel,
  cell: MapCell,
  key: string,
  context: OpContext,
  how: (value: Cell) => OtherKind | undefined,
): OtherKind | undefined {
  const { cells, sorted } = cell
  const before = cells.get(key)
  const value = before ?? values.create()
  context.draft?.changes(cell, key, () => {
    const now = cells.get(key)
    return now !== undefined && values.isLive(now)
  })
  const other = how(value)
  if (other) return below(key, other)
  place(cells, key, values.isBlank(value) ? undefined : value)
  sorted.changed(key)
  context.undo(() => {
    place(cells, key, before)
    sorted.changed(key)
  })
  touch(cell, context)
  return undefined
}

const empty: { readonly [key: string]: Json } = Object.freeze({})

function show(cell: MapCell, keys: readonly string[], valueOf: (key: string) => Json): void {
  const before = cell.mirror as { readonly [key: string]: Json }
  const shown = keys.map(valueOf)
  const isSame =
    keys.length === Object.keys(before).length && keys.every((key, i) => shown[i] === before[key])
  if (isSame) return
  const mirror: { [key: string]: Json } = {}
  keys.forEach((key, i) => setProperty(mirror, key, shown[i]!))
  cell.mirror = Object.freeze(mirror)
}

function observe(cell: MapCell, values: Kernel, table: CommitTable): Value | undefined {
  const pairs: Value[] = []
  for (const [key, value] of cell.cells) {
    const observed = values.observe(value, table)
    if (observed !== undefined) pairs.push(key, observed)
  }
  return pairs.length > 0 ? pairs : undefined
}

function save(
  cell: MapCell,
  present: readonly string[],
  values: Kernel,
  table: CommitTable,
): Value | undefined {
  const saved: Value[] = []
  for (const key of allKeys(present, cell.cells)) {
    const value = values.save(cell.cells.get(key)!, table)
    if (value !== undefined) saved.push([key, value])
  }
  return saved.length > 0 ? saved : undefined
}

function load(saved: Value, values: Kernel, table: CommitTable): MapCell {
  const cells = new Map<string, Cell>()
  for (const each of items(saved)) {
    const [key, value] = items(each, 2)
    cells.set(readText(key), values.load(value!, table))
  }
  const sorted = new ShownKeys<string>(compareKeys, cells.keys())
  return { mirror: empty, stale: true, cells, sorted }
}

function mapHandle(
  access: CellAccess<MapCell>,
  values: Kernel,
  kernel: Kernel<MapCell>,
  isPresent: (cell: MapCell, key: string) => boolean,
): MapHandle<object> {
  const has = (key: string): boolean => {
    const cell = access.cell()
    return cell !== undefined && isPresent(cell, key)
  }
  return Object.freeze({
    get keys() {
      return Object.keys(kernel.show(access.cell()) as object).sort(compareKeys)
    },
    has: (key: string) => has(checkText(key)),
    get: (name: string) => {
      const key = checkText(name)
      return values.handle({
        cell: () => access.cell()?.cells.get(key),
        write: (op) => access.write([3, key, op]),
        table: access.table,
      })
    },
    delete: (name: string) => {
      const key = checkText(name)
      const value = access.cell()?.cells.get(key)
      const observed = value && values.observe(value, access.table)
      if (observed !== undefined) access.write([4, key, observed])
    },
  })
}
