import { parseArgs } from 'node:util'

import { limits, PeerplaneError } from '@peerplane/core'

import { nearest } from '../nearest.ts'
import { commandHelp, isCommand } from './commands.ts'
import type { CommandHelp, CommandName, Flag } from './commands.ts'

/** A command line, checked. */
export interface Arguments {
  readonly command: CommandName
  /** The command that help is wanted for. */
  readonly about: CommandName | undefined
  /** Flags that are settings, as text or `true`: their values are for the configuration to judge. */
  readonly flags: Readonly<Record<string, unknown>>
  readonly json: boolean
  readonly trustClock: boolean
  /** Whether to invite an anchor. */
  readonly anchor: boolean
  readonly hours: number
  readonly config: string | undefined
  /** The address of the peer to check. */
  readonly address: string | undefined
  readonly invitation: string | undefined
  /** Rules to check, as given. */
  readonly only: string | undefined
}

/** Takes a command line apart. Throws `invalid-configuration` for everything that the command does not take. */
export function readArguments(argv: readonly string[]): Arguments {
  const { tokens } = parseArgs({
    args: [...argv],
    options: everyFlag,
    allowPositionals: true,
    strict: false,
    tokens: true,
  })
  const words = tokens.flatMap((token) => (token.kind === 'positional' ? token.value : []))
  const given = tokens.filter((token) => token.kind === 'option')
  const has = (name: string): boolean => given.some((token) => token.name === name)
  const command = commandOf(words[0], has('version'))
  if (has('help') || command === 'help') {
    checkWords(words, command)
    return { ...nothing, command: 'help', about: aboutOf(words, has('help')) }
  }
  const { flags }: CommandHelp = commandHelp[command]
  const values = new Map<string, string | true>()
  for (const { name, rawName, value, inlineValue } of given) {
    if (name === 'version') continue
    const flag = Object.hasOwn(flags, name) ? flags[name]! : undefined
    if (!flag) throw unknownFlag(rawName, Object.keys(flags), command)
    if (values.has(name)) throw usage(`${rawName} is given twice`, command)
    values.set(name, valueOf(rawName, flag, value, inlineValue === true, command))
  }
  checkWords(words, command)
  const textOf = (name: string): string | undefined => {
    const value = values.get(name)
    return typeof value === 'string' ? value : undefined
  }
  return {
    command,
    about: undefined,
    address: words[1],
    invitation: textOf('invitation'),
    only: textOf('only'),
    flags: Object.fromEntries([...values].filter(([name]) => flags[name]!.setting !== undefined)),
    json: values.has('json'),
    trustClock: values.has('trust-clock'),
    anchor: values.has('anchor'),
    hours: readHours(values.get('hours'), command),
    config: textOf('config'),
  }
}

const nothing = {
  flags: {},
  json: false,
  trustClock: false,
  anchor: false,
  hours: 24,
  config: undefined,
  address: undefined,
  invitation: undefined,
  only: undefined,
} as const

const everyFlag: Readonly<
  Record<string, { readonly type: 'string' | 'boolean'; readonly short?: string }>
> = {
  ...Object.fromEntries(
    Object.values<CommandHelp>(commandHelp).flatMap(({ flags }) =>
      Object.entries(flags).map(([name, { argument }]) => [
        name,
        { type: argument === undefined ? ('boolean' as const) : ('string' as const) },
      ]),
    ),
  ),
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
}

function commandOf(word: string | undefined, isVersion: boolean): CommandName {
  if (word !== undefined) return known(word)
  return isVersion ? 'version' : 'help'
}

/** `up --help` and `help up` are about `up`, `help --help` about `help`; `help` and `--help` are about everything. */
function aboutOf(words: readonly string[], isFlag: boolean): CommandName | undefined {
  const [first, second] = words
  const word = first === 'help' ? (second ?? (isFlag ? first : undefined)) : first
  return word === undefined ? undefined : known(word)
}

function known(word: string): CommandName {
  if (isCommand(word)) return word
  const close = nearest(word, Object.keys(commandHelp))
  throw invalid(
    `there is no command "${word}"`,
    close === undefined
      ? '"peerplane help" lists all commands.'
      : `Try "peerplane ${close}", or "peerplane help" for all commands.`,
  )
}

function checkWords(words: readonly string[], command: CommandName): void {
  const { word }: CommandHelp = commandHelp[command]
  const tooMany = words[word === undefined ? 1 : 2]
  if (tooMany !== undefined) throw usage(`unexpected argument "${tooMany}"`, command)
}

function valueOf(
  rawName: string,
  { argument }: Flag,
  value: string | undefined,
  isInline: boolean,
  command: CommandName,
): string | true {
  if (argument === undefined) {
    if (value !== undefined) throw usage(`${rawName} takes no value`, command)
    return true
  }
  // What looks like a flag is one: its value was forgotten.
  if (value === undefined || (!isInline && /^-{1,2}[a-z]/i.test(value))) {
    throw usage(`${rawName} needs a value: ${rawName} ${argument}`, command)
  }
  return value
}

function readHours(given: string | true | undefined, command: CommandName): number {
  if (given === undefined) return nothing.hours
  const hours = typeof given === 'string' && given.trim() !== '' ? Number(given) : Number.NaN
  if (hours > 0 && hours <= limits.invitationHours) return hours
  const range = `a number above 0, at most ${limits.invitationHours}`
  throw usage(`--hours must be ${range}, not ${JSON.stringify(given)}`, command)
}

function unknownFlag(
  rawName: string,
  flags: readonly string[],
  command: CommandName,
): PeerplaneError {
  const close = nearest(rawName.replace(/^-+/, ''), flags)
  const hint = close === undefined ? '' : `; the nearest known flag is --${close}`
  return usage(`${rawName} is unknown to "peerplane ${command}"${hint}`, command)
}

const usage = (problem: string, command: CommandName): PeerplaneError =>
  invalid(problem, `"peerplane help ${command}" prints the usage.`)

const invalid = (problem: string, advice: string): PeerplaneError =>
  new PeerplaneError('invalid-configuration', problem, { advice })
