import { setProperty, type Json, type MapHandle, type Value } from '@peerplane/core'

import { Entries, inGeneration, readGeneration } from './entries.ts'
import { judge, touch, type Cell, type CellAccess, type Kernel } from './kernel.ts'
import { isRemoval, readOp } from './op.ts'
import { below, OtherKind } from './other-kind.ts'
import type { OpContext } from './op-context.ts'
import { checkText, compareKeys, readText } from './values.ts'

interface MapCell extends Cell {
  readonly entries: Entries<Cell>
}

/*
 *   change    [3, key, op of the value, generation?]
 *   delete    [4, key, names or null, generation?]
 *   add       [5, key, generation?]
 */

/**
 * A map. A key is there from the first op on it to its removal. With `wins` as `update`, a change that the remover did not see keeps the whole
 * entry; with `removal` it is lost.
 */
export function mapKernel(values: Kernel, wins: 'update' | 'removal'): Kernel<MapCell> {
  const create = (): MapCell => ({
    mirror: empty,
    stale: false,
    entries: new Entries(() => values.create()),
  })

  const kernel: Kernel<MapCell> = {
    kind: 'map',
    create,

    apply(cell, op, context) {
      const fields = readOp(op, 'map')
      if (fields instanceof OtherKind) return fields
      const { entries } = cell
      const key = readText(fields[1])
      if (fields[0] === 5) entries.noticeTouch(key, context)
      else entries.notice(key, context)
      const other = applyTo(entries, key, fields, values, context)
      touch(cell, context)
      return below(key, other)
    },

    weigh: ({ entries }) => entries.weigh((value) => values.weigh(value)),

    show(cell) {
      if (!cell) return empty
      if (cell.stale) {
        const { entries } = cell
        show(cell, entries.keys() as readonly string[], (key) => values.show(entries.get(key)))
        cell.stale = false
      }
      return cell.mirror
    },

    handle: (place) => mapHandle(place, values, kernel, wins === 'removal'),

    save: ({ entries }, table) => entries.save(table, (value) => values.save(value, table)),

    load(saved, table) {
      const cell = create()
      cell.entries.load(saved, table, readText, (value) =>
        value === undefined ? values.create() : values.load(value, table),
      )
      cell.stale = true
      return cell
    },
  }
  return kernel
}

function applyTo(
  entries: Entries<Cell>,
  key: string,
  [mark, , inner, last]: readonly Value[],
  values: Kernel,
  context: OpContext,
): OtherKind | undefined {
  if (mark === 3) {
    const entry = entries.enter(key, readGeneration(last), context)
    if (!entry) return judge(values, inner!, context)
    const { content } = entry
    const isPresent = (): boolean => entries.get(key) === content
    const other = context.inside(content, isPresent, () => values.apply(content, inner!, context))
    if (!other && !isRemoval(inner)) entries.touch(key, entry, context)
    return other
  }
  if (mark === 5) {
    const entry = entries.enter(key, readGeneration(inner), context)
    if (entry) entries.touch(key, entry, context)
    return undefined
  }
  entries.applyRemoval(key, inner, readGeneration(last), context)
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

function mapHandle(
  access: CellAccess<MapCell>,
  values: Kernel,
  kernel: Kernel<MapCell>,
  closes: boolean,
): MapHandle<object> {
  const { draft } = access
  const has = (key: string): boolean => access.cell()?.entries.isPresent(key) ?? false
  const generation = (key: string): number => access.cell()?.entries.nextGeneration(key, draft) ?? 0
  return Object.freeze({
    get keys() {
      return Object.keys(kernel.show(access.cell()) as object).sort(compareKeys)
    },
    has: (key: string) => has(checkText(key)),
    add: (name: string) => {
      const key = checkText(name)
      // An entry that another session keeps is kept again: its device can revoke that by a fork.
      if (access.cell()?.entries.isTouchedBy(key, draft.table)) return
      access.write(inGeneration([5, key], generation(key)))
    },
    get: (name: string) => {
      const key = checkText(name)
      return values.handle({
        cell: () => access.cell()?.entries.get(key),
        write: (op) => access.write(inGeneration([3, key, op], generation(key))),
        draft,
      })
    },
    delete: (name: string) => {
      const key = checkText(name)
      if (!has(key)) return
      const { entries } = access.cell()!
      const names = entries.removal(key, closes, draft)
      access.write(inGeneration([4, key, names], entries.nextGeneration(key, draft)))
    },
  })
}
