import pg from 'pg'

import { limits, PeerplaneError, reasonOf, type Scheduler } from '@peerplane/core'

import { connectText } from './postgres-statements.ts'
import type { JournalRow } from './rows.ts'

/** The result of one statement. If it is `unknown`, the statement may have taken effect, or may still take effect. */
export type Executed =
  | { readonly outcome: 'done'; readonly rows: readonly JournalRow[] }
  | { readonly outcome: 'unknown'; readonly cause: PeerplaneError }

export interface ConnectionsOptions {
  /** The address of the database: `postgres://…`. */
  readonly url: string
  /** The schema in which statements find the tables. */
  readonly schema: string
  readonly scheduler: Scheduler
}

/** The number of connections of one process to the database. */
const CONNECTIONS = 8

/** Connections to a database, which execute single statements. */
export class PostgresConnections {
  readonly #pool: pg.Pool
  readonly #scheduler: Scheduler
  readonly #checked = new WeakSet<pg.PoolClient>()
  #closing: Promise<void> | undefined

  constructor({ url, schema, scheduler }: ConnectionsOptions) {
    this.#scheduler = scheduler
    this.#pool = new pg.Pool({
      connectionString: url,
      max: CONNECTIONS,
      connectionTimeoutMillis: limits.journalMs,
      application_name: 'peerplane',
      // Of the messages of a server only warnings arrive, and its language does not matter.
      options: `-c search_path=${schema} -c client_min_messages=warning -c default_transaction_isolation=read\\ committed`,
    })
    // Ignored: the pool has dropped the connection, and the next statement opens another one.
    this.#pool.on('error', () => undefined)
  }

  /**
   * Executes one statement as a transaction of its own. Rejects with `store-failed` if it certainly had no effect, and with `closed`. A statement
   * that is given a `name` is prepared once on each connection.
   */
  async execute(text: string, values: readonly unknown[], name?: string): Promise<Executed> {
    const client = await this.#connected()
    const notices: string[] = []
    const noticed = ({ message }: { readonly message?: string | undefined }): void => {
      notices.push(message ?? 'a warning')
    }
    client.on('notice', noticed)
    let isLate = false
    const cancel = this.#scheduler.after(limits.journalMs, () => {
      isLate = true
      // Closes the connection. A cancel request could end a wait for a standby as a success.
      client.release(true)
    })
    let failure: unknown
    try {
      const query = { text, values: [...values], ...(name === undefined ? {} : { name }) }
      const { rows } = await client.query<JournalRow>(query)
      if (notices.length === 0) return { outcome: 'done', rows }
      failure = new Error(`the database warned: ${notices.join('; ')}`)
    } catch (cause) {
      if (notices.length === 0 && !isLate && isRefused(cause)) throw failed(cause)
      failure = isLate ? new Error('the database did not answer in time') : cause
    } finally {
      cancel()
      client.off('notice', noticed)
      if (!isLate) client.release(failure !== undefined)
    }
    return { outcome: 'unknown', cause: failed(failure) }
  }

  /** Waits for the statements in progress. */
  close(): Promise<void> {
    this.#closing ??= this.#pool.end()
    return this.#closing
  }

  /** A connection whose settings are known. Nothing has been sent if it fails. */
  async #connected(): Promise<pg.PoolClient> {
    if (this.#closing) throw new PeerplaneError('closed', 'the journal is closed')
    const client = await this.#pool.connect().catch((cause: unknown) => {
      throw failed(cause)
    })
    if (this.#checked.has(client)) return client
    // Ignored: the statement that it interrupts fails with the same error.
    client.on('error', () => undefined)
    try {
      const { rows } = await client.query<JournalRow>(connectText)
      check(rows[0] ?? {})
    } catch (cause) {
      client.release(true)
      throw failed(cause)
    }
    this.#checked.add(client)
    return client
  }
}

function check({ fsync, standby }: JournalRow): void {
  const reason =
    fsync !== 'on' ? 'the database has fsync off' : standby !== false && 'the database is a standby'
  if (!reason) return
  throw new PeerplaneError('unsupported', `${reason}, so it could lose what was acknowledged`, {
    advice: 'Connect to a primary server, and switch fsync on.',
  })
}

/**
 * Whether the database has refused a statement and rolled it back: data and constraints (22, 23), conflicts of transactions, names and rights (42),
 * and objects in use (55). The severity of an error is no help, because the server translates it.
 */
const isRefused = (cause: unknown): boolean =>
  cause instanceof pg.DatabaseError && /^(22|23|42|55|40001|40P01)/.test(cause.code ?? '')

function failed(cause: unknown): PeerplaneError {
  if (cause instanceof PeerplaneError) return cause
  const reason = `the database of the journal failed: ${reasonOf(cause)}`
  return new PeerplaneError('store-failed', reason, { cause })
}
