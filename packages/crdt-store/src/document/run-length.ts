import { fromUtf8 } from '@peerplane/core'

import { ByteReader } from './byte-reader.ts'
import { wrong } from './wrong.ts'

/** How many rows a run-length encoded column of numbers has, without expanding them. Throws `void` beyond `max`. */
export function countRows(bytes: Uint8Array, max: number): number {
  return readRuns(
    bytes,
    max,
    (reader) => reader.unsigned(),
    () => {},
  )
}

/** The sum of the values of a run-length encoded column of numbers, without expanding it. Throws `void` for more than `max` rows. */
export function sumRows(bytes: Uint8Array, max: number): number {
  let sum = 0
  readRuns(
    bytes,
    max,
    (reader) => reader.unsigned(),
    (_, count, value) => {
      sum += count * value
    },
  )
  return sum
}

/** What a column of numbers has in a row without one, or in one that the column is too short for. */
export const NONE = -1

/**
 * A run-length encoded column of whole numbers below 2^31, in `rows` rows; with `isDelta`, of differences to the number before.
 * Throws `void` for more rows and for other numbers.
 */
export function numbers(bytes: Uint8Array, rows: number, isDelta = false): Int32Array {
  const column = new Int32Array(rows).fill(NONE)
  let last = 0
  readRuns(
    bytes,
    rows,
    (reader) => (isDelta ? reader.signed() : reader.unsigned()),
    (at, count, value) => {
      for (let row = at; row < at + count; row++) {
        last = isDelta ? last + value : value
        if (last < 0 || last > MAX_NUMBER) throw wrong('a number is out of range')
        column[row] = last
      }
    },
  )
  return column
}

/** A run-length encoded column of texts; it has holes where there is none. Throws `void` for more than `rows` rows and for bytes that are not UTF-8. */
export function texts(bytes: Uint8Array, rows: number): (string | undefined)[] {
  const column: (string | undefined)[] = []
  readRuns(
    bytes,
    rows,
    (reader) => decode(reader.take(reader.unsigned())),
    (at, count, text) => {
      for (let row = at; row < at + count; row++) column[row] = text
    },
  )
  return column
}

/** A column of booleans, as 0 and 1: counts of false and true in turn. Throws `void` for more than `rows` rows. */
export function booleans(bytes: Uint8Array, rows: number): Uint8Array {
  const column = new Uint8Array(rows)
  const reader = new ByteReader(bytes)
  let value = 0
  for (let at = 0; reader.left > 0; value = 1 - value) {
    const count = reader.unsigned()
    if (at + count > rows) throw wrong('it has too many operations')
    column.fill(value, at, at + count)
    at += count
  }
  return column
}

/**
 * Reads the runs of a column, calls `seen` for each that has values, and returns the number of rows. A run is a positive count and one
 * value, a negative count and that many values, or 0 and a count of rows without value.
 */
function readRuns<T>(
  bytes: Uint8Array,
  max: number,
  value: (reader: ByteReader) => T,
  seen: (at: number, count: number, value: T) => void,
): number {
  const reader = new ByteReader(bytes)
  let rows = 0
  const take = (count: number): number => {
    rows += count
    if (rows > max) throw wrong('it has too many operations')
    return rows - count
  }
  while (reader.left > 0) {
    const count = reader.signed()
    if (count === 0) take(reader.unsigned())
    else if (count > 0) seen(take(count), count, value(reader))
    else for (let left = -count; left > 0; left--) seen(take(1), 1, value(reader))
  }
  return rows
}

function decode(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes)
  } catch {
    throw wrong('a key is not UTF-8')
  }
}

const MAX_NUMBER = 2 ** 31 - 1
