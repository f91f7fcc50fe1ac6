import { limits, PeerplaneError } from '@peerplane/core'

import { ByteReader } from './byte-reader.ts'

/**
 * Checks the operation columns at the end of a change without expanding their runs, and returns the number of operations.
 *
 * Allowed are plain data and texts: maps, lists, texts, and their values null, boolean, number and string. Counters, dates, bytes and
 * marks are not, because a mirror could not show them as JSON. Throws `void`.
 */
export function checkColumns(reader: ByteReader): number {
  const columns = new Map<number, Uint8Array>()
  const sizes: [spec: number, size: number][] = []
  for (let left = reader.count(specs.size); left > 0; left--) {
    const spec = reader.unsigned()
    if (!specs.has(spec) || spec <= (sizes.at(-1)?.[0] ?? 0)) throw wrong('a column is unknown')
    sizes.push([spec, reader.unsigned()])
  }
  for (const [spec, size] of sizes) columns.set(spec, reader.take(size))
  if (reader.left !== 0) throw wrong('something follows the columns')

  const column = (spec: number): Uint8Array => columns.get(spec) ?? EMPTY
  const ops = countRuns(column(ACTION), 'unsigned', limits.documentOps, (_, action) => {
    if (action === null || action > LAST_ACTION) throw wrong('an action is unknown')
  })
  if (ops === 0) throw wrong('there are no operations')
  for (const spec of [OBJECT_ACTOR, OBJECT_COUNTER, KEY_ACTOR]) {
    countRuns(column(spec), 'unsigned', ops)
  }
  countRuns(column(KEY_COUNTER), 'signed', ops)
  countRuns(column(KEY_TEXT), 'text', ops)
  countBooleans(column(INSERT), ops)
  let valueBytes = 0
  countRuns(column(VALUE_META), 'unsigned', ops, (count, meta) => {
    if (meta === null || meta % 16 > LAST_VALUE_TYPE) throw wrong('a value is not JSON')
    valueBytes += count * Math.floor(meta / 16)
  })
  if (valueBytes !== column(VALUE).length) throw wrong('values have other lengths than they say')
  let preds = 0
  countRuns(column(PRED_COUNT), 'unsigned', ops, (count, each) => {
    preds += count * (each ?? 0)
    if (preds > MAX_PREDS) throw wrong('it replaces too much')
  })
  countRuns(column(PRED_ACTOR), 'unsigned', preds)
  countRuns(column(PRED_COUNTER), 'signed', preds)
  return ops
}

/**
 * Rows of a run-length encoded column, at most `max`; `seen` gets each run. A run is a positive count and one value, a negative count
 * and that many values, or 0 and a count of nulls.
 */
function countRuns(
  bytes: Uint8Array,
  kind: 'unsigned' | 'signed' | 'text',
  max: number,
  seen?: (count: number, value: number | null) => void,
): number {
  const reader = new ByteReader(bytes)
  const value = (): number => {
    if (kind === 'text') return reader.take(reader.unsigned()).length
    return reader[kind]()
  }
  let rows = 0
  while (reader.left > 0) {
    const count = reader.signed()
    const isNull = count === 0
    const runs = count < 0 ? -count : 1
    const length = isNull ? reader.unsigned() : Math.max(count, 1)
    rows += runs * length
    if (rows > max) throw wrong('it has too many operations')
    for (let left = runs; left > 0; left--) {
      const each = isNull ? null : value()
      seen?.(length, each)
    }
  }
  return rows
}

/** Rows of a column of booleans: counts of false and true in turn. */
function countBooleans(bytes: Uint8Array, max: number): void {
  const reader = new ByteReader(bytes)
  for (let rows = 0; reader.left > 0;) {
    rows += reader.unsigned()
    if (rows > max) throw wrong('it has too many operations')
  }
}

const wrong = (reason: string): PeerplaneError =>
  new PeerplaneError('void', `a change of a document is not valid: ${reason}`)

const EMPTY = new Uint8Array(0)
/** A concurrent text deletion replaces one operation per character; more than twice the operations is not honest. */
const MAX_PREDS = 2 * limits.documentOps
/** 0 make a map, 1 set, 2 make a list, 3 delete, 4 make a text. */
const LAST_ACTION = 4
/** 0 null, 1 false, 2 true, 3 and 4 whole numbers, 5 a float, 6 a string. */
const LAST_VALUE_TYPE = 6

/* Column specifications: number, kind. */
const OBJECT_ACTOR = 0x01
const OBJECT_COUNTER = 0x02
const KEY_ACTOR = 0x11
const KEY_COUNTER = 0x13
const KEY_TEXT = 0x15
const INSERT = 0x34
const ACTION = 0x42
const VALUE_META = 0x56
const VALUE = 0x57
const PRED_COUNT = 0x70
const PRED_ACTOR = 0x71
const PRED_COUNTER = 0x73
const specs = new Set([
  OBJECT_ACTOR,
  OBJECT_COUNTER,
  KEY_ACTOR,
  KEY_COUNTER,
  KEY_TEXT,
  INSERT,
  ACTION,
  VALUE_META,
  VALUE,
  PRED_COUNT,
  PRED_ACTOR,
  PRED_COUNTER,
])
