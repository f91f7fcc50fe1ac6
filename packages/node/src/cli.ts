#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs'

import { fromUtf8, PeerplaneError } from '@peerplane/core'
import type { Json } from '@peerplane/core'
import type { PlaneStatus } from '@peerplane/runtime'

import { readArguments } from './cli/arguments.ts'
import type { Arguments } from './cli/arguments.ts'
import { helpText, statusText } from './cli/text.ts'
import { resolveConfig } from './config.ts'
import type { Config } from './config.ts'
import { askDaemon } from './control.ts'
import { planeFiles } from './directory.ts'
import { nearest } from './nearest.ts'

/** How long a daemon may take to close when it is told to stop. */
const DRAIN_MS = 5_000

const commands: Readonly<Record<string, (args: Arguments) => Promise<void>>> = {
  up,
  invite: async (args) => {
    console.log(await ask(args, { ask: 'invite', hours: args.hours }))
  },
  status: async (args) => {
    const status = (await ask(args, { ask: 'status' })) as unknown as PlaneStatus
    console.log(args.json ? JSON.stringify(status) : statusText(status))
  },
  version: async () => {
    const manifest = fromUtf8(readFileSync(new URL('../package.json', import.meta.url)))
    console.log((JSON.parse(manifest) as { version: string }).version)
  },
  help: async () => console.log(helpText()),
}

async function main(): Promise<void> {
  try {
    const args = readArguments(process.argv.slice(2))
    const run = Object.hasOwn(commands, args.command) ? commands[args.command] : undefined
    if (!run) throw usage(`there is no command "${args.command}"`, args.command)
    if (args.rest.length > 0) throw usage(`${args.rest[0]} is one word too many`, args.command)
    await run(args)
  } catch (error) {
    if (!(error instanceof PeerplaneError)) throw error
    console.error(`peerplane: ${error.code}: ${error.message}`)
    process.exitCode = exitCodes[error.code] ?? 1
  }
}

const exitCodes: Readonly<Record<string, number>> = {
  'invalid-configuration': 2,
  'store-locked': 3,
}

function usage(problem: string, command: string): PeerplaneError {
  const close = nearest(command, Object.keys(commands))
  return new PeerplaneError(
    'invalid-configuration',
    `${problem}; try "peerplane ${close}" or "peerplane help"`,
  )
}

async function up(args: Arguments): Promise<void> {
  const stopped = stopSignal()
  // Loaded late: the other commands answer without loading a runtime.
  const { startDaemon } = await import('./cli/up.ts')
  const daemon = await startDaemon(configOf(args))
  const { space, device, addresses, url } = daemon.ready
  if (args.json) console.log(JSON.stringify(daemon.ready))
  else if (url !== undefined) console.log(`Ready: ${url}`)
  else console.log(`Ready: device ${device} of space ${space} at ${addresses.join(' ')}`)
  await stopped
  const late = setTimeout(() => {
    console.error(
      `peerplane: closing took longer than ${DRAIN_MS} ms; what was acknowledged is kept`,
    )
    process.exit(1)
  }, DRAIN_MS)
  await daemon.drain()
  clearTimeout(late)
  process.exit(0)
}

/** Resolves at the first signal to stop; a second one ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1))
        resolve()
      })
    }
  })
}

async function ask(args: Arguments, request: Json): Promise<Json> {
  const { data, space } = configOf(args)
  const answer = await askDaemon(planeFiles(data, space).control, request)
  if (answer !== undefined) return answer
  console.error(
    `peerplane: no daemon runs for space "${space}" in ${data}. Start one with "peerplane up", or name its --data and --space.`,
  )
  process.exit(4)
}

function configOf({ flags, config }: Arguments): Config {
  const wanted = config ?? process.env['PEERPLANE_CONFIG']
  const path = wanted ?? 'peerplane.json'
  if (wanted !== undefined && !existsSync(path)) {
    throw new PeerplaneError('invalid-configuration', `there is no file ${path}`)
  }
  const file = existsSync(path) ? { path, bytes: readFileSync(path) } : undefined
  return resolveConfig({ flags, environment: process.env, file })
}

await main()
