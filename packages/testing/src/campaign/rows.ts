import { counter, list, record, register, type HandleOf } from '@peerplane/core'

/** Rows, each of which says which command has put it, and how often it was moved. */
export const rowsShape = list(record({ label: register(''), moved: counter() }))

type Rows = HandleOf<typeof rowsShape>

interface Input {
  readonly key: string
  readonly mark: string
  readonly by: number
}

/** Puts a row at the end, or before one of the others. */
export function putRow(rows: Rows, { key, mark, by }: Input): void {
  const near = rows.keys.at(by % 4)
  const where = near === undefined || by % 3 === 0 ? 'last' : { before: near }
  rows.insert(where).value.label.set(labelOf(key, mark))
}

/** Moves all rows that were put with `key`. */
export function shiftRows(rows: Rows, { key, by }: Input): void {
  for (const row of rowsOf(rows, key)) {
    rows.get(row).moved.increment()
    rows.move(row, by % 2 === 0 ? 'first' : 'last')
  }
}

/** Deletes all rows that were put with `key`. */
export function dropRows(rows: Rows, { key }: Pick<Input, 'key'>): void {
  for (const row of rowsOf(rows, key)) rows.delete(row)
}

const rowsOf = (rows: Rows, key: string): readonly string[] =>
  rows.keys.filter((each) => rows.get(each).label.value.startsWith(`${key} `))

/** The label of the row that a command puts. */
export const labelOf = (key: string, mark: string): string => `${key} ${mark}`
