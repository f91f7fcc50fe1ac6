import { closeSync, existsSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { pid } from 'node:process'
import type { DatabaseSync } from 'node:sqlite'

import { PeerplaneError } from '@peerplane/core'

import { storeError } from './sqlite-errors.ts'

/**
 * Opens and locks the database file of a store, checks it, and makes its table. The lock belongs to the operating system: it ends with the
 * process, however that ends. With `completing` a new file is made where only parts of an old store are left.
 */
export async function openDatabase(path: string, completing: boolean): Promise<DatabaseSync> {
  const database = await connect(path, completing)
  try {
    lock(database, path)
    configure(database)
    check(database, path)
    prepareTable(database, path)
    refuseExposed(path)
    return database
  } catch (cause) {
    database.close()
    throw storeError(cause, `${path} could not be opened`)
  }
}

/** What is left of a store must not be mistaken for a new one. */
function refuseRest(path: string): void {
  // Empty while it is made, before there is anything beside it; later only because somebody has emptied it.
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0) return
  const rest = [ownerFile(path), witnessFile(path), `${path}-wal`].find((each) => existsSync(each))
  if (rest === undefined) return
  throw new PeerplaneError('storage-lost', `${path} is gone or empty, but ${rest} is still there`, {
    advice: `Put ${path} back, open the space with a new invitation, or erase the space to start again.`,
  })
}

async function connect(path: string, completing: boolean): Promise<DatabaseSync> {
  // Imported late: on older versions of Node it does not exist, and that deserves a message.
  const { DatabaseSync } = await import('node:sqlite').catch((cause: unknown) => {
    throw new PeerplaneError('unsupported', 'this Node has no node:sqlite', {
      cause,
      advice: NEWER_NODE,
    })
  })
  try {
    if (!completing) refuseRest(path)
    // Made here if it is new, because SQLite would let everybody read it; the files beside it get the same rights.
    closeSync(openSync(path, 'a', 0o600))
    return new DatabaseSync(path, { timeout: 0 })
  } catch (cause) {
    throw storeError(cause, `${path} could not be opened`)
  }
}

/** The process that holds the lock leaves its id here: only for messages, never to decide. */
const ownerFile = (path: string): string => `${path}-owner`

/** Shows what the log of SQLite has lost. */
export const witnessFile = (path: string): string => `${path}-witness`

function lock(database: DatabaseSync, path: string): void {
  try {
    // With exclusive locking before the log is first touched, its index is in memory of this process: no shared file that a full disk breaks.
    set(database, 'locking_mode', 'exclusive')
    set(database, 'journal_mode', 'wal')
    database.exec('BEGIN EXCLUSIVE; COMMIT')
  } catch (cause) {
    const error = storeError(cause, `${path} could not be opened`)
    if (error.code !== 'store-locked') throw error
    throw new PeerplaneError('store-locked', `${path} is open in ${owner(path)}`, { cause })
  }
  try {
    writeFileSync(ownerFile(path), String(pid), { mode: 0o600 })
  } catch {
    // Ignored: a full disk must not keep a store from being read.
  }
}

function owner(path: string): string {
  try {
    return `process ${Number.parseInt(readFileSync(ownerFile(path), 'latin1'), 10)}`
  } catch {
    // Ignored: the name of the owner is for people alone.
    return 'another process'
  }
}

const NEWER_NODE = 'Use Node 22.23, 24.15, 26 or newer.'

/** Below it, readers and writers of a log that was just reset could, rarely, corrupt the file: https://sqlite.org/wal.html#walresetbug */
const OLDEST_SQLITE = [3, 51, 3] as const

/** Sets what makes writes durable and reads safe. Throws `unsupported` for a version of SQLite that may corrupt files. */
export function configure(database: DatabaseSync): void {
  const version = String(value(database, 'SELECT sqlite_version()'))
  const parts = version.split('.').map(Number)
  const difference = OLDEST_SQLITE.map((least, i) => parts[i]! - least).find((d) => d !== 0) ?? 0
  if (difference < 0) {
    const needed = OLDEST_SQLITE.join('.')
    throw new PeerplaneError('unsupported', `this Node has SQLite ${version}, not ${needed}`, {
      advice: NEWER_NODE,
    })
  }
  set(database, 'synchronous', 2)
  set(database, 'trusted_schema', 0)
  set(database, 'mmap_size', 0)
  set(database, 'cell_size_check', 1)
  set(database, 'temp_store', 2)
  // On macOS an ordinary flush stops at the cache of the disk.
  set(database, 'fullfsync', 1)
  set(database, 'checkpoint_fullfsync', 1)
  // Pages of 4 KiB: the log is copied into the file, and starts again, each time it has grown to 4 MiB; one large transaction may stretch it.
  set(database, 'wal_autocheckpoint', 1000)
  set(database, 'journal_size_limit', 16 * 1024 * 1024)
}

/** Sets a pragma and makes sure that it is set: SQLite ignores what it does not know. */
export function set(database: DatabaseSync, pragma: string, wanted: string | number): void {
  database.exec(`PRAGMA ${pragma}=${wanted}`)
  const found = value(database, `PRAGMA ${pragma}`)
  if (found !== wanted) {
    throw new PeerplaneError('store-failed', `SQLite has ${pragma}=${found}, not ${wanted}`)
  }
}

/** Stores up to this size are checked as a whole when they are opened: 0.2 s at most. The damage of larger ones shows when it is read. */
const CHECKED_BYTES = 32 * 1024 * 1024

function check(database: DatabaseSync, path: string): void {
  if (statSync(path).size > CHECKED_BYTES) return
  if (value(database, 'PRAGMA integrity_check(1)') === 'ok') return
  // Without the index, which has no checksums and is rebuilt from the pairs: a damaged copy of a key in it would hide its pair.
  const finding = value(database, 'PRAGMA quick_check(1)')
  if (finding !== 'ok') throw new PeerplaneError('store-corrupt', `${path} is damaged: ${finding}`)
  database.exec('REINDEX')
}

/** "Peer", so that no other program's database is mistaken for ours. */
const APPLICATION_ID = 0x50656572
const TABLE_VERSION = 1

function prepareTable(database: DatabaseSync, path: string): void {
  const application = value(database, 'PRAGMA application_id')
  if (application === APPLICATION_ID) {
    const version = Number(value(database, 'PRAGMA user_version'))
    if (version <= TABLE_VERSION) return
    throw new PeerplaneError('store-version', `${path} has table version ${version}`)
  }
  if (value(database, 'SELECT count(*) FROM sqlite_schema') !== 0) {
    throw new PeerplaneError('store-corrupt', `${path} is the database of another program`, {
      advice: 'Choose another data directory; the file was left as it is.',
    })
  }
  // A table of rows with an index over the keys: half the time and, with large values, half the space of a table that is its own index.
  database.exec(`BEGIN;
    CREATE TABLE pairs (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT;
    CREATE TABLE flushes (count INTEGER NOT NULL) STRICT;
    INSERT INTO flushes VALUES (0);
    PRAGMA application_id = ${APPLICATION_ID};
    PRAGMA user_version = ${TABLE_VERSION};
    COMMIT`)
}

/** The store holds the key of the device and the secret of the space. */
function refuseExposed(path: string): void {
  const mode = statSync(path).mode & 0o777
  if ((mode & 0o077) === 0) return
  throw new PeerplaneError('exposed-secret', `${path} has mode ${mode.toString(8)}, not 600`)
}

/** The first column of the first row. */
function value(database: DatabaseSync, sql: string): string | number | undefined {
  return Object.values(database.prepare(sql).get() ?? {})[0] as string | number | undefined
}
