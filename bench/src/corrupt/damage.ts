import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { cellsOf, keysOf, type Cell } from './cells.ts'
import type { Scene } from './scene.ts'

/** Something that happens to a store while nobody has it open. */
export interface Damage {
  readonly kind: 'flip' | 'truncation' | 'deletion'
  /** What is hit: a table, a file. */
  readonly of: string
  /** So that it can be done by hand. */
  readonly what: string
  /** Data directory of which a copy is hit. */
  readonly image: string
  /** Hits the copy at `data`. */
  readonly hit: (data: string) => void
}

const STORE = join('default', 'store.db')
const LOG = join('default', 'store.db-wal')
const WITNESS = join('default', 'store.db-witness')

/** Flips of a bit: one in ten of the log of SQLite, a few of its witness, the others in live records, of each table as often as of any other. */
export function* flips(scene: Scene, count: number, random: () => number): Generator<Damage> {
  const tables = [...Map.groupBy(cellsOf(join(scene.closed, STORE)), nameOf)].toSorted(([a], [b]) =>
    compareText(a, b),
  )
  for (let i = 0; i < count; i++) {
    if (i % 10 === 9) {
      const [file, of] = i % 100 === 99 ? [WITNESS, 'witness'] : [LOG, 'log']
      const at = below(statSync(join(scene.killed, file)).size, random)
      yield flip(scene.killed, file, of, at, random)
      continue
    }
    const [name, cells] = tables[i % tables.length]!
    const { parts } = cells[below(cells.length, random)]!
    let place = below(
      parts.reduce((sum, { bytes }) => sum + bytes, 0),
      random,
    )
    const part = parts.find(({ bytes }) => (place -= bytes) < 0)!
    yield flip(scene.closed, STORE, name, part.from + part.bytes + place, random)
  }
}

const nameOf = (cell: Cell): string => `${cell.in} ${hex(cell.table)}`
const hex = (table: number): string => `0x${table.toString(16).padStart(2, '0')}`
const compareText = (a: string, b: string): number => (a < b ? -1 : 1)

function flip(image: string, file: string, of: string, at: number, random: () => number): Damage {
  const bit = below(8, random)
  return {
    kind: 'flip',
    of,
    what: `bit ${bit} of byte ${at} of ${file}`,
    image,
    hit: (data) => {
      const path = join(data, file)
      const bytes = readFileSync(path)
      bytes[at]! ^= 1 << bit
      writeFileSync(path, bytes)
    },
  }
}

const PAGE = 4096
const HEADER_OF_LOG = 32
const FRAME = 24 + PAGE

/** Values and files cut off: at any byte, between pages or frames, to nothing; and the log of SQLite deleted. */
export function* truncations(scene: Scene, count: number, random: () => number): Generator<Damage> {
  const { closed, killed } = scene
  const sizeOf = (image: string, file: string): number => statSync(join(image, file)).size
  const anywhere = (image: string, file: string): Damage =>
    cut(image, file, below(sizeOf(image, file), random))
  const between = (image: string, file: string, first: number, each: number): Damage =>
    cut(image, file, first + each * below(Math.floor((sizeOf(image, file) - first) / each), random))
  const tables = tablesOf(closed)
  const value = (): Damage => {
    const [table, keys] = tables[below(tables.length, random)]!
    return cutValue(closed, table, keys[below(keys.length, random)]!, random())
  }
  const ways: readonly (() => Damage)[] = [
    value,
    () => anywhere(closed, STORE),
    value,
    () => between(closed, STORE, 0, PAGE),
    value,
    () => anywhere(killed, STORE),
    value,
    () => between(killed, STORE, 0, PAGE),
    value,
    () => anywhere(killed, LOG),
    value,
    () => between(killed, LOG, HEADER_OF_LOG, FRAME),
    value,
    () => anywhere(killed, WITNESS),
  ]
  yield cut(closed, STORE, 0)
  yield cut(killed, STORE, 0)
  yield cut(killed, LOG, 0)
  yield deletion(killed, LOG)
  yield deletion(killed, WITNESS)
  for (let i = 5; i < count; i++) yield ways[i % ways.length]!()
}

/** Deleted records: a single one, or several neighbouring ones, of each table equally often. */
export function* deletions(
  { closed }: Scene,
  count: number,
  random: () => number,
): Generator<Damage> {
  const tables = tablesOf(closed)
  for (let i = 0; i < count; i++) {
    const [table, keys] = tables[i % tables.length]!
    const first = below(keys.length, random)
    const some = i % 3 === 2 ? 1 + below(keys.length - first, random) : 1
    yield {
      kind: 'deletion',
      of: `pairs ${hex(table)}`,
      what: `${some} pairs from ${Buffer.from(keys[first]!).toString('hex')} on`,
      image: closed,
      hit: (data) => {
        const database = new DatabaseSync(join(data, STORE))
        const remove = database.prepare('DELETE FROM pairs WHERE key = ?')
        for (const key of keys.slice(first, first + some)) remove.run(key)
        database.close()
      },
    }
  }
}

/** The keys of each table. */
const tablesOf = (image: string): [table: number, keys: Uint8Array[]][] => [
  ...Map.groupBy(keysOf(join(image, STORE)), (key) => key[0]!),
]

const names = new Map([
  [LOG, 'log'],
  [WITNESS, 'witness'],
])

const cut = (image: string, file: string, bytes: number): Damage => ({
  kind: 'truncation',
  of: names.get(file) ?? 'file',
  what: `${file} cut to ${bytes} bytes`,
  image,
  hit: (data) => truncateSync(join(data, file), bytes),
})

/** The value of one pair, cut to a share of its bytes by SQLite itself. */
const cutValue = (image: string, table: number, key: Uint8Array, share: number): Damage => ({
  kind: 'truncation',
  of: `values ${hex(table)}`,
  what: `value of ${Buffer.from(key).toString('hex')} cut to ${share} of its bytes`,
  image,
  hit: (data) => {
    const database = new DatabaseSync(join(data, STORE))
    const cut = `UPDATE pairs SET value = substr(value, 1, CAST(length(value) * ? AS INTEGER)) WHERE key = ?`
    database.prepare(cut).run(share, key)
    database.close()
  },
})

const deletion = (image: string, file: string): Damage => ({
  kind: 'truncation',
  of: names.get(file) ?? 'file',
  what: `${file} deleted`,
  image,
  hit: (data) => rmSync(join(data, file)),
})

const below = (limit: number, random: () => number): number => Math.floor(random() * limit)
