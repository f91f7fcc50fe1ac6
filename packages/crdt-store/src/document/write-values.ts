import { limits, type Json } from '@peerplane/core'

import { operationsOf, typeOf } from './plain.ts'
import { spliceUnits } from './splice-units.ts'
import type { Transaction } from './transaction.ts'

/** Writes a value at a key or over an item. A value that does not fit into one change is written in parts. */
export function putValue(
  transaction: Transaction,
  id: string,
  step: string | number,
  value: Json,
): void {
  const { replica } = transaction
  const operations = operationsOf(value)
  transaction.roomForAll(operations <= limits.documentOps ? operations : 1)
  if (operations <= limits.documentOps) {
    if (typeof value === 'string') replica.putObject(id, step, value)
    else if (typeof value === 'object' && value !== null) {
      replica.putObjectFromHydrate(id, step, value)
    } else replica.put(id, step, value, typeOf(value))
  } else fill(transaction, replica.putObject(id, step, emptyOf(value)), value)
}

/** Replaces items of a list, in parts if need be. */
export function spliceValues(
  transaction: Transaction,
  id: string,
  at: number,
  remove: number,
  values: readonly Json[],
): void {
  const { replica } = transaction
  const operations = remove + operationsOf(values) - 1
  if (operations <= limits.documentOps) {
    transaction.roomForAll(operations)
    replica.spliceFromHydrate(id, at, remove, values as Json[])
    return
  }
  for (let left = remove; left > 0;) {
    const removed = transaction.room(left)
    replica.spliceFromHydrate(id, at, removed, [])
    left -= removed
  }
  let next = at
  for (const { items, operations } of groups(values)) {
    transaction.roomForAll(operations <= limits.documentOps ? operations : 1)
    if (operations <= limits.documentOps) replica.spliceFromHydrate(id, next, 0, items)
    else fill(transaction, replica.insertObject(id, next, emptyOf(items[0]!)), items[0]!)
    next += items.length
  }
}

/** Neighbouring values that fit into one change together; one that does not fit stands alone. */
function* groups(values: readonly Json[]): Iterable<{ items: Json[]; operations: number }> {
  let group: { items: Json[]; operations: number } = { items: [], operations: 0 }
  for (const value of values) {
    const operations = operationsOf(value)
    if (group.items.length > 0 && group.operations + operations > limits.documentOps) {
      yield group
      group = { items: [], operations: 0 }
    }
    group.items.push(value)
    group.operations += operations
  }
  if (group.items.length > 0) yield group
}

function emptyOf(value: Json): '' | [] | Record<string, never> {
  if (typeof value === 'string') return ''
  return Array.isArray(value) ? [] : {}
}

function fill(transaction: Transaction, id: string, value: Json): void {
  if (typeof value === 'string') {
    spliceUnits(transaction, { id, length: 0, boundary: 0 }, 0, 0, value)
  } else if (Array.isArray(value)) spliceValues(transaction, id, 0, 0, value)
  else for (const [key, item] of Object.entries(value ?? {})) putValue(transaction, id, key, item)
}
