import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'

/*
 * Where the records of a store lie in its SQLite file: https://sqlite.org/fileformat2.html, chapters 1.6 and 2.
 */

/** A live cell of the file: that of a pair, or that of its key in the index. */
export interface Cell {
  readonly in: 'pairs' | 'index'
  /** First byte of the key: which table of the log, the rows or the runtime. */
  readonly table: number
  /** Bytes of the file. */
  readonly parts: readonly Part[]
}

interface Part {
  readonly from: number
  readonly bytes: number
}

const LEAF_OF_TABLE = 0x0d
const INTERIOR_OF_TABLE = 0x05
const LEAF_OF_INDEX = 0x0a
const INTERIOR_OF_INDEX = 0x02

/** Reads a store without leaving anything beside its file. */
const opened = (path: string): DatabaseSync =>
  new DatabaseSync(new URL(`${pathToFileURL(path).href}?immutable=1`), { readOnly: true })

/** The keys of all pairs of a store, in order. */
export function keysOf(path: string): Uint8Array[] {
  const database = opened(path)
  const rows = database.prepare('SELECT key FROM pairs ORDER BY key').all()
  database.close()
  return rows.map(({ key }) => key as Uint8Array)
}

/** All cells of the pairs of a store whose log is empty, as it is after closing. */
export function cellsOf(path: string): Cell[] {
  const database = opened(path)
  const roots = database
    .prepare(`SELECT type, rootpage FROM sqlite_schema WHERE tbl_name = 'pairs'`)
    .all() as unknown as { readonly type: string; readonly rootpage: number }[]
  database.close()
  const file = new SqliteFile(readFileSync(path))
  return roots.flatMap(({ type, rootpage }) =>
    [...file.cells(rootpage)].map((cell) => ({
      ...cell,
      in: type === 'table' ? ('pairs' as const) : ('index' as const),
    })),
  )
}

class SqliteFile {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #pageSize: number

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#pageSize = this.#view.getUint16(16)
  }

  /** The records of a tree, from the page of its root. */
  *cells(page: number): Generator<Omit<Cell, 'in'>> {
    const start = (page - 1) * this.#pageSize
    const header = start + (page === 1 ? 100 : 0)
    const type = this.#bytes[header]
    const isInterior = type === INTERIOR_OF_TABLE || type === INTERIOR_OF_INDEX
    const pointers = header + (isInterior ? 12 : 8)
    const count = this.#view.getUint16(header + 3)
    for (let i = 0; i < count; i++) {
      const cell = start + this.#view.getUint16(pointers + 2 * i)
      if (isInterior) yield* this.cells(this.#view.getUint32(cell))
      if (type === LEAF_OF_TABLE || type === LEAF_OF_INDEX) yield this.#cell(cell, type)
      if (type === INTERIOR_OF_INDEX) yield this.#cell(cell, type)
    }
    if (isInterior) yield* this.cells(this.#view.getUint32(header + 8))
  }

  #cell(cell: number, type: number): Omit<Cell, 'in'> {
    const sizeAt = type === INTERIOR_OF_INDEX ? cell + 4 : cell
    const [size, afterSize] = this.#varint(sizeAt)
    const payload = type === LEAF_OF_TABLE ? this.#varint(afterSize)[1] : afterSize
    const local = this.#localBytes(size, type)
    const parts: Part[] = [{ from: cell, bytes: payload + local - cell }]
    let overflow = local < size ? this.#view.getUint32(payload + local) : 0
    for (let rest = size - local; overflow > 0 && rest > 0;) {
      const from = (overflow - 1) * this.#pageSize
      const bytes = Math.min(rest, this.#pageSize - 4)
      parts.push({ from: from + 4, bytes })
      rest -= bytes
      overflow = this.#view.getUint32(from)
    }
    const [headerBytes] = this.#varint(payload)
    return { table: this.#bytes[payload + headerBytes]!, parts }
  }

  /** How much of a payload is in its cell. */
  #localBytes(size: number, type: number): number {
    const most =
      type === LEAF_OF_TABLE
        ? this.#pageSize - 35
        : Math.floor(((this.#pageSize - 12) * 64) / 255) - 23
    if (size <= most) return size
    const least = Math.floor(((this.#pageSize - 12) * 32) / 255) - 23
    const local = least + ((size - least) % (this.#pageSize - 4))
    return local <= most ? local : least
  }

  /** A number of up to 4 bytes here, and where it ends. */
  #varint(at: number): readonly [value: number, end: number] {
    let value = 0
    for (let end = at; ; end++) {
      const byte = this.#bytes[end]!
      value = value * 128 + (byte & 127)
      if (byte < 128) return [value, end + 1]
    }
  }
}
