import { limits } from '@peerplane/core'

import type { ByteReader } from './byte-reader.ts'
import { booleans, countRows, numbers, sumRows, texts } from './run-length.ts'
import { wrong } from './wrong.ts'

/**
 * The operations of one change, one row each; values are not decoded. Actors are places in the list of the change, 0 is its own. Where an
 * operation has no such number it is `NONE`.
 */
export interface OperationColumns {
  readonly count: number
  /** The operation that made the container. */
  readonly objectActor: Int32Array
  readonly objectCounter: Int32Array
  /** In a list or text: the item that is changed or inserted behind; counter 0 without actor is the beginning. */
  readonly keyActor: Int32Array
  readonly keyCounter: Int32Array
  /** In a map. */
  readonly keyText: readonly (string | undefined)[]
  readonly insert: Uint8Array
  readonly action: Int32Array
  readonly valueType: Int32Array
  /** The bytes of all values, one after the other. */
  readonly values: Uint8Array
  /** How many operations each replaces; which ones stand one after the other. */
  readonly replaced: Int32Array
  readonly replacedActor: Int32Array
  readonly replacedCounter: Int32Array
}

/** What operations do. */
export const action = { makeMap: 0, set: 1, makeList: 2, delete: 3, makeText: 4 } as const

/** The type of values that are strings; before it come null, false, true, two of whole numbers, and floats. */
export const STRING_VALUE = 6

/**
 * Reads the operation columns at the end of a change. Runs are counted before they are expanded, so that time and memory are bounded by
 * `limits.documentOps` and the length of the bytes. `most` is how many operations there may be, and as many replaced ones.
 *
 * Allowed are plain data and texts: maps, lists, texts, and their values null, boolean, number and string. Counters, dates, bytes and
 * marks are not, because a mirror could not show them as JSON. Throws `void`.
 */
export function readOperations(reader: ByteReader, most: number): OperationColumns {
  const column = readColumns(reader)
  const { ops: count, replaced: sum } = countIn(column)
  if (count > most || sum > most) throw wrong('it has more operations than its bytes pay for')
  const actions = numbers(column(spec.action), count)
  if (actions.some((each) => each < 0 || each > action.makeText))
    throw wrong('an action is unknown')
  const replaced = numbers(column(spec.replaced), count).map((each) => Math.max(0, each))
  return {
    count,
    ...readPlaces(column, count),
    action: actions,
    valueType: readValueTypes(column(spec.valueMeta), column(spec.value).length, count),
    values: column(spec.value),
    replaced,
    replacedActor: numbers(column(spec.replacedActor), sum),
    replacedCounter: numbers(column(spec.replacedCounter), sum, true),
  }
}

/** How many operations a change has, and how many these replace. */
interface Counts {
  readonly ops: number
  readonly replaced: number
}

/** How many operations the columns at the end of a change have, without expanding them. Throws `void` for more than any change may have. */
export const countOperations = (reader: ByteReader): Counts => countIn(readColumns(reader))

function readColumns(reader: ByteReader): (spec: number) => Uint8Array {
  const sizes = readSizes(reader, specs)
  const columns = new Map(sizes.map(([each, size]) => [each, reader.take(size)]))
  if (reader.left !== 0) throw wrong('something follows the columns')
  return (each) => columns.get(each) ?? EMPTY
}

function countIn(column: (spec: number) => Uint8Array): Counts {
  const ops = countRows(column(spec.action), limits.documentOps)
  const replaced = sumRows(column(spec.replaced), ops)
  if (replaced > limits.documentReplaced) throw wrong('it replaces too much')
  return { ops, replaced }
}

/** Specifications and sizes of the columns that follow. Throws `void` for one that is not in `known`. */
export function readSizes(
  reader: ByteReader,
  known: ReadonlySet<number>,
): [spec: number, size: number][] {
  const sizes: [spec: number, size: number][] = []
  for (let left = reader.count(known.size); left > 0; left--) {
    const next = reader.unsigned()
    if (!known.has(next) || next <= (sizes.at(-1)?.[0] ?? 0)) throw wrong('a column is unknown')
    sizes.push([next, reader.unsigned()])
  }
  return sizes
}

/** Where operations are made, from columns that changes and saved documents have in common. */
export function readPlaces(
  column: (spec: number) => Uint8Array,
  rows: number,
): Pick<
  OperationColumns,
  'objectActor' | 'objectCounter' | 'keyActor' | 'keyCounter' | 'keyText' | 'insert'
> {
  return {
    objectActor: numbers(column(spec.objectActor), rows),
    objectCounter: numbers(column(spec.objectCounter), rows),
    keyActor: numbers(column(spec.keyActor), rows),
    keyCounter: numbers(column(spec.keyCounter), rows, true),
    keyText: texts(column(spec.keyText), rows),
    insert: booleans(column(spec.insert), rows),
  }
}

function readValueTypes(metas: Uint8Array, valueBytes: number, rows: number): Int32Array {
  let bytes = 0
  const types = numbers(metas, rows).map((meta) => {
    if (meta < 0 || meta % 16 > STRING_VALUE) throw wrong('a value is not JSON')
    bytes += meta >> 4
    return meta % 16
  })
  if (bytes !== valueBytes) throw wrong('values do not have the lengths that they state')
  return types
}

const EMPTY = new Uint8Array(0)

/** Column specifications of operations: number and kind in one. */
export const spec = {
  objectActor: 0x01,
  objectCounter: 0x02,
  keyActor: 0x11,
  keyCounter: 0x13,
  keyText: 0x15,
  insert: 0x34,
  action: 0x42,
  valueMeta: 0x56,
  value: 0x57,
  replaced: 0x70,
  replacedActor: 0x71,
  replacedCounter: 0x73,
} as const
const specs: ReadonlySet<number> = new Set(Object.values(spec))
