import { existsSync, readFileSync } from 'node:fs'

import { codeOf, fromUtf8, PeerplaneError, reasonOf } from '@peerplane/core'

import { readArguments } from './arguments.ts'
import type { Arguments } from './arguments.ts'
import type { CommandName } from './commands.ts'
import { commandHelpText, helpText } from './help.ts'
import { invitationPage } from './invitation-page.ts'
import { statusText } from './text.ts'
import type { DaemonStatus } from './text.ts'
import type { Daemon } from './up.ts'
import { resolveConfig } from '../config.ts'
import type { Config } from '../config.ts'
import { driveDaemon } from '../control.ts'
import type { Controlled } from '../control.ts'
import { planeFiles } from '../directory.ts'
import { currentStatus } from '../problem.ts'

/** Exit code: nobody is there who could be asked. */
const NO_DAEMON = 4

/** How long a daemon may take to close after a signal. */
const STOP_MS = 5_000

const commands: Readonly<Record<CommandName, (args: Arguments) => Promise<number | void>>> = {
  up,
  invite: (args) =>
    withDaemon(args, async (daemon) => {
      const { page } = await daemon.describe()
      const { hours, trustClock, anchor } = args
      console.log(invitationPage(page, await daemon.invite({ hours, trustClock, anchor })))
    }),
  status: (args) =>
    withDaemon(args, async (daemon) => {
      const { name } = await daemon.describe()
      const status: DaemonStatus = {
        name,
        ...(await currentStatus((listener) => daemon.watchStatus(listener))),
      }
      console.log(args.json ? JSON.stringify(status) : statusText(status))
    }),
  // Loaded late: it needs a network.
  conformance: async (args) => (await import('./conformance.ts')).conformance(args),
  version: async () => {
    const manifest = readFileSync(new URL('../../package.json', import.meta.url))
    console.log((JSON.parse(fromUtf8(manifest)) as { version: string }).version)
  },
  help: async ({ about }) => console.log(about === undefined ? helpText() : commandHelpText(about)),
}

/** Runs the command line `argv`, without the names of program and file; resolves to the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    const args = readArguments(argv)
    return (await commands[args.command](args)) ?? 0
  } catch (error) {
    if (!(error instanceof PeerplaneError)) throw error
    console.error(`peerplane: ${error.code}: ${error.message}`)
    return exitCodes[error.code] ?? 1
  }
}

const exitCodes: Readonly<Record<string, number>> = {
  'invalid-configuration': 2,
  'invalid-invitation': 2,
  'store-locked': 3,
}

async function up(args: Arguments): Promise<void> {
  const stopped = stopSignal()
  // Loaded late: the other commands answer without loading a runtime.
  const { daemonLog, startDaemon } = await import('./up.ts')
  const config = configOf(args)
  const log = daemonLog(config)
  const stopping = abortedBy(stopped)
  try {
    const daemon = await startDaemon(config, log.trace, stopping)
    sayReady(daemon, args)
    await stopped
    log.trace?.('daemon.stopping', {})
    await daemon.stop()
  } catch (error) {
    // What had started is stopped; that the rest did not start is what was asked for.
    if (!stopping.aborted || codeOf(error) !== 'closed') throw error
  } finally {
    if (stopping.aborted) log.trace?.('daemon.stopped', {})
    log.stop()
  }
  process.exit(0)
}

function sayReady({ ready, warning }: Daemon, { json }: Arguments): void {
  const { space, device, addresses, url } = ready
  if (warning !== undefined) console.error(`peerplane: ${warning}`)
  if (json) console.log(JSON.stringify(ready))
  else if (url !== undefined) console.log(`Ready: ${url}`)
  else console.log(`Ready: device ${device} of space ${space} at ${addresses.join(' ')}`)
}

/** Resolves at the first signal to stop; a second one ends the process at once, and so does a stop that takes too long. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1))
        setTimeout(endLate, STOP_MS).unref()
        resolve()
      })
    }
  })
}

function endLate(): void {
  console.error(
    `peerplane: closing took longer than ${STOP_MS} ms; all acknowledged changes are kept`,
  )
  process.exit(1)
}

function abortedBy(stopped: Promise<void>): AbortSignal {
  const controller = new AbortController()
  void stopped.then(() => controller.abort())
  return controller.signal
}

/** Has `task` done with the daemon that runs; that none does is said, and is the exit code. */
async function withDaemon(
  args: Arguments,
  task: (daemon: Controlled) => Promise<void>,
): Promise<number> {
  const { data, space } = configOf(args)
  const daemon = await driveDaemon(planeFiles(data, space).control)
  if (!daemon) {
    console.error(
      `peerplane: no daemon runs for space "${space}" in ${data}. Start one with "peerplane up", or name its --data and --space.`,
    )
    return NO_DAEMON
  }
  try {
    await Promise.race([task(daemon.target), daemon.failed])
    return 0
  } finally {
    daemon.close()
  }
}

function configOf({ flags, config }: Arguments): Config {
  const wanted = config ?? process.env['PEERPLANE_CONFIG']
  const path = wanted ?? 'peerplane.json'
  if (wanted !== undefined && !existsSync(path)) {
    throw new PeerplaneError('invalid-configuration', `there is no file ${path}`)
  }
  const file = existsSync(path) ? { path, bytes: readSettings(path) } : undefined
  return resolveConfig({ flags, environment: process.env, file })
}

function readSettings(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (cause) {
    const reason = `the settings in ${path} cannot be read: ${reasonOf(cause)}`
    throw new PeerplaneError('invalid-configuration', reason, { cause })
  }
}
