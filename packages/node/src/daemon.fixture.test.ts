import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env, execPath } from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { afterEach, beforeEach } from 'vitest'

import type { Ready } from './cli/up.ts'
import { driveDaemon } from './control.ts'
import type { Driven } from './control.ts'

const program = ['--conditions=@peerplane/source', fileURLToPath(import.meta.resolve('./cli.ts'))]
export const anyPorts = ['--port', '0', '--tcp-port', '0', '--http-port', '0']

let root: string
const running: ChildProcess[] = []

/** A daemon in a process of its own, which is killed at the end of the test. */
export interface Daemon {
  readonly ready: Ready
  readonly child: ChildProcess
  /** What it has written to stderr so far. */
  readonly logged: () => string
}

/** Gives each test of a file a folder of its own, in which its commands and daemons run. */
export function folderForEach(): void {
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'peerplane-'))
  })
  afterEach(async () => {
    await Promise.all(running.splice(0).map((child) => end(child, 'SIGKILL')))
    rmSync(root, { recursive: true })
  })
}

/** A path in the folder of the test. */
export const inFolder = (...path: string[]): string => join(root, ...path)

/** Runs the command to its end. */
export const run = (args: readonly string[], variables: Record<string, string> = {}): Result =>
  runWith([], args, variables)

interface Result {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

function runWith(
  flags: readonly string[],
  args: readonly string[],
  variables: Record<string, string> = {},
): Result {
  // A daemon that starts although it should not is killed.
  const timeout = 30_000
  const options = { cwd: root, encoding: 'utf8', env: { ...env, ...variables }, timeout } as const
  return spawnSync(execPath, [...flags, ...program, ...args], options)
}

/** Starts a daemon and waits until it is ready. */
export async function up(...args: string[]): Promise<Daemon> {
  const child = spawn(execPath, [...program, 'up', '--json', ...anyPorts, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.push(child)
  let logged = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (logged += text))
  for await (const line of createInterface(child.stdout)) {
    return { ready: JSON.parse(line) as Ready, child, logged: () => logged }
  }
  throw new Error(`the daemon ended without being ready: ${logged}`)
}

/** Runs a daemon that gets a signal to stop while it logs `step`, so that it can come no further. */
export function stopAt(step: string): Result {
  const hook = `const { write } = process.stderr
    process.stderr.write = function (line, ...rest) {
      if (String(line).includes(${JSON.stringify(step)})) process.kill(process.pid, 'SIGTERM')
      return write.call(this, line, ...rest)
    }`
  const before = ['--import', `data:text/javascript,${encodeURIComponent(hook)}`]
  return runWith(before, ['up', ...anyPorts, '--log', 'debug'])
}

/** Ends a daemon and waits until it is gone; gives its exit code, unless a signal ended it. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  child.kill(signal)
  const [code] = (await once(child, 'close')) as [number | null]
  return code
}

/** Asks the daemon of a space in the default folder. */
export async function ask<T>(
  space: string,
  question: (daemon: Driven['target']) => Promise<T>,
): Promise<T> {
  const daemon = await driveDaemon(inFolder('.peerplane', space, 'control.sock'))
  try {
    return await question(daemon!.target)
  } finally {
    daemon!.close()
  }
}
