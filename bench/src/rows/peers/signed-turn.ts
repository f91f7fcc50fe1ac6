import { createPublicKey, generateKeyPairSync, hash, sign, verify } from 'node:crypto'

import type { Change, Peer, PeerOptions, Row } from '../peer.ts'
import { openDiy, type Engine } from './diy.ts'
import { openSqliteJournal } from './sqlite-journal.ts'

/** The bare limit: a log with one signed, chained entry per turn, and last-writer-wins rows beside it. */
export function open(options: PeerOptions): Promise<Peer> {
  const engine = signedTurnEngine()
  const journal = openSqliteJournal(options.data, () => {
    for (const id of engine.changed) put.run(id, JSON.stringify(engine.rows.get(id)))
    engine.changed.clear()
  })
  const { database } = journal
  database.exec('CREATE TABLE IF NOT EXISTS rows (id TEXT PRIMARY KEY, row TEXT NOT NULL)')
  const put = database.prepare('INSERT OR REPLACE INTO rows VALUES (?, ?)')
  for (const { id, row } of database.prepare('SELECT id, row FROM rows').all()) {
    engine.restore(String(id), JSON.parse(String(row)) as Cells)
  }
  return openDiy(engine, journal, options)
}

/** Each value with the logical time of its writer. */
type Cells = { [Name in keyof Row]?: readonly [Row[Name], number] }
/** Time of the entry, and its changes. */
type Entry = readonly [number, readonly Change[]]

/** Entry: signature (64 bytes), key of the author (32), hash of the author's entry before (32), JSON. */
const [KEY, PREVIOUS, BODY] = [64, 96, 128] as const

interface SignedTurnEngine extends Engine {
  readonly rows: Map<string, Cells>
  readonly changed: Set<string>
  restore(id: string, cells: Cells): void
}

function signedTurnEngine(): SignedTurnEngine {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const author = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url')
  const rows = new Map<string, Cells>()
  const changed = new Set<string>()
  const tips = new Map<string, Buffer>()
  let time = 0
  let seen: ((id: string, rank: number) => void) | undefined

  const merge = (at: number, changes: readonly Change[]): void => {
    for (const change of changes) {
      const fields: Partial<Row> = 'row' in change ? change.row : { rank: change.rank }
      const cells = rows.get(change.id) ?? {}
      for (const [name, value] of Object.entries(fields)) {
        const cell = cells[name as keyof Row]
        if (!cell || cell[1] < at) Object.assign(cells, { [name]: [value, at] })
      }
      rows.set(change.id, cells)
      changed.add(change.id)
    }
    time = Math.max(time, at)
  }
  return {
    rows,
    changed,
    holdsState: true,
    restore(id, cells) {
      rows.set(id, cells)
      for (const [, at] of Object.values(cells)) time = Math.max(time, at)
    },
    write(turn) {
      const body = Buffer.from(JSON.stringify([++time, turn] satisfies Entry))
      const previous = tips.get(author.toString('hex')) ?? Buffer.alloc(32)
      const content = Buffer.concat([author, previous, body])
      const entry = Buffer.concat([sign(null, content, privateKey), content])
      tips.set(author.toString('hex'), hash('sha256', entry, 'buffer'))
      merge(time, turn)
      return [entry]
    },
    apply(records) {
      for (const record of records) {
        const entry = Buffer.from(record)
        const key = entry.subarray(KEY, PREVIOUS)
        const tip = tips.get(key.toString('hex')) ?? Buffer.alloc(32)
        const x = key.toString('base64url')
        const jwk = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } })
        const isNext = entry.subarray(PREVIOUS, BODY).equals(tip)
        if (!isNext || !verify(null, entry.subarray(KEY), jwk, entry.subarray(0, KEY))) {
          throw new Error('an entry is not signed by its author or does not follow the last one')
        }
        tips.set(key.toString('hex'), hash('sha256', entry, 'buffer'))
        const [at, changes] = JSON.parse(entry.toString('utf8', BODY)) as Entry
        merge(at, changes)
        if (seen) for (const { id } of changes) seen(id, rows.get(id)!.rank![0])
      }
    },
    rank: (id) => rows.get(id)?.rank?.[0],
    ranks: () => new Map([...rows].map(([id, { rank }]) => [id, rank![0]])),
    onRank: (callback) => void (seen = callback),
  }
}
