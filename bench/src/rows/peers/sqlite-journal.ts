import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import type { Journal } from './diy.ts'

/** A journal that can write something else in the transaction of its records. */
export interface SqliteJournal extends Journal {
  readonly database: DatabaseSync
}

/** A log of records in SQLite, flushed once per turn; `also` writes into the same transaction. */
export function openSqliteJournal(data: string, also?: () => void): SqliteJournal {
  const database = new DatabaseSync(join(data, 'journal.sqlite'))
  database.exec('PRAGMA locking_mode=exclusive; PRAGMA journal_mode=wal; PRAGMA synchronous=full')
  database.exec('CREATE TABLE IF NOT EXISTS log (seq INTEGER PRIMARY KEY, record BLOB NOT NULL)')
  const insert = database.prepare('INSERT INTO log (record) VALUES (?)')
  const select = database.prepare('SELECT record FROM log ORDER BY seq')
  return {
    database,
    read: () => select.all().map(({ record }) => record as Uint8Array),
    append(records) {
      if (records.length === 0) return
      database.exec('BEGIN')
      for (const record of records) insert.run(record)
      also?.()
      database.exec('COMMIT')
    },
    close: () => database.close(),
  }
}
