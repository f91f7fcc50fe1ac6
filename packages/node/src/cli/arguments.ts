import { parseArgs } from 'node:util'

import { PeerplaneError } from '@peerplane/core'

import { flagOf, settings } from '../config.ts'
import { nearest } from '../nearest.ts'

/** What stands behind the command. */
export interface Arguments {
  /** The first word, or `help` without any. */
  readonly command: string
  readonly rest: readonly string[]
  /** Flags that are settings, as text or `true`. */
  readonly flags: Readonly<Record<string, unknown>>
  /** Flags of the command line alone. */
  readonly json: boolean
  readonly hours: number
  readonly config: string | undefined
}

/** Takes a command line apart. Throws `invalid-configuration` for an unknown flag; values are for the configuration to judge. */
export function readArguments(argv: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { ...settingOptions, ...ownOptions },
    allowPositionals: true,
    strict: false,
  })
  for (const flag of Object.keys(values)) checkFlag(flag)
  const { json = false, hours = '24', config, help, version, ...flags } = values
  const [first = 'help', ...rest] = positionals
  const command = help === true ? 'help' : version === true ? 'version' : first
  return {
    command,
    rest,
    flags,
    json: json === true,
    hours: Number(hours),
    config: typeof config === 'string' ? config : undefined,
  }
}

function checkFlag(flag: string): void {
  const known = Object.keys({ ...settingOptions, ...ownOptions })
  if (known.includes(flag)) return
  const reason = `--${flag} is unknown; the nearest known flag is --${nearest(flag, known)}`
  throw new PeerplaneError('invalid-configuration', reason)
}

const ownOptions = {
  json: { type: 'boolean' },
  hours: { type: 'string' },
  config: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const

const settingOptions: Readonly<Record<string, { readonly type: 'string' | 'boolean' }>> =
  Object.fromEntries(
    Object.entries(settings).map(([name, { argument }]) => [
      flagOf(name),
      { type: argument === undefined ? 'boolean' : 'string' },
    ]),
  )
