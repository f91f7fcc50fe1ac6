import { isIP } from 'node:net'

import { fromUtf8, PeerplaneError } from '@peerplane/core'

import { logFormats, type LogFormat } from './log/line.ts'
import { logLevels, type LogLevel } from './log/log.ts'
import { nearest } from './nearest.ts'
import { THIS_MACHINE } from './proxies.ts'

/** The configuration of a daemon. */
export interface Config {
  readonly data: string
  readonly space: string
  readonly join: string | undefined
  readonly anchor: boolean
  readonly host: string
  readonly port: number
  readonly tcpPort: number
  readonly announce: readonly string[]
  readonly proxies: readonly string[]
  readonly serve: string | undefined
  readonly httpPort: number
  readonly page: string | undefined
  readonly log: LogLevel
  readonly logFormat: LogFormat
}

/** One setting: `peerplane.json` sets it by its name; a flag and an environment variable set it too. */
interface Setting<Value = unknown> {
  readonly default: Value
  /** What the flag takes; `undefined` for a switch. */
  readonly argument: string | undefined
  readonly about: string
  /** The value that JSON or text stands for; `undefined` if it stands for none. */
  read(given: unknown): Value | undefined
  /** What `read` understands, for messages. */
  readonly form: string
}

type SettingOf<Value> = Omit<Setting<Value>, 'read'> & {
  read(given: unknown): NonNullable<Value> | undefined
}

const text = <Default extends string | undefined>(
  initial: Default,
  argument: string,
  about: string,
  form: string = 'a string',
  fits: (given: string) => unknown = () => true,
): SettingOf<string | Default> => ({
  default: initial,
  argument,
  about,
  form,
  read: (given) => (typeof given === 'string' && given !== '' && fits(given) ? given : undefined),
})

const texts = (
  initial: readonly string[],
  argument: string,
  about: string,
  form: string,
  fits: (item: string) => unknown = () => true,
): SettingOf<readonly string[]> => ({
  default: initial,
  argument,
  about,
  form,
  read: (given) => {
    const list: unknown = typeof given === 'string' ? given.split(',').filter(Boolean) : given
    if (!Array.isArray(list)) return undefined
    return list.every((item) => typeof item === 'string' && fits(item))
      ? (list as string[])
      : undefined
  },
})

const port = (initial: number, about: string): SettingOf<number> => ({
  default: initial,
  argument: 'PORT',
  about,
  form: 'a number from 0 to 65535',
  read: (given) => {
    const found = typeof given === 'string' && /^\d{1,5}$/.test(given) ? Number(given) : given
    return Number.isInteger(found) && (found as number) >= 0 && (found as number) <= 65_535
      ? (found as number)
      : undefined
  },
})

const choice = <Value extends string>(
  initial: Value,
  argument: string,
  about: string,
  values: readonly Value[],
): SettingOf<Value> => ({
  default: initial,
  argument,
  about,
  form: `one of ${values.join(', ')}`,
  read: (given) => values.find((value) => value === given) as NonNullable<Value> | undefined,
})

/** Every setting, with its default and its meaning. The help and the documentation are generated from this table. */
export const settings: { readonly [Name in keyof Config]: SettingOf<Config[Name]> } = {
  data: text('.peerplane', 'DIR', 'directory of the stores'),
  space: text(
    'default',
    'NAME',
    'name of the store in the data directory; each store holds one space',
  ),
  join: text(undefined, 'LINK', 'invitation link with which a new store joins a space'),
  anchor: {
    default: false,
    argument: undefined,
    about:
      'create a new space with this daemon as its anchor: an always-on device that introduces and relays members',
    form: 'true or false',
    read: (given) => {
      if (given === true || given === 'true') return true
      return given === false || given === 'false' ? false : undefined
    },
  },
  host: text(
    '127.0.0.1',
    'ADDRESS',
    'IP address to listen on; 0.0.0.0 means all addresses of this machine',
    'an IP address',
    isIP,
  ),
  port: port(7420, 'WebSocket port for browsers and other peers; 0 picks a free port'),
  tcpPort: port(7421, 'TCP port for other daemons; 0 picks a free port'),
  announce: texts(
    [],
    'ADDRESSES',
    'multiaddresses, separated by commas, of a proxy through which peers reach this daemon',
    'a list of multiaddresses',
  ),
  proxies: texts(
    THIS_MACHINE,
    'ADDRESSES',
    'IP addresses, separated by commas, of proxies in front of this daemon; limits per address do not apply to these proxies',
    'a list of IP addresses',
    isIP,
  ),
  serve: text(undefined, 'DIR', 'directory of a built web application to serve'),
  httpPort: port(7422, 'port of the served web application; 0 picks a free port'),
  page: text(
    undefined,
    'URL',
    'URL of the page that invitation links open (default: the served web application)',
    'a URL that begins with http: or https:',
    (given) => /^https?:/i.test(given) && URL.canParse(given),
  ),
  log: choice(
    'info',
    'LEVEL',
    'level of the log on stderr: off, error, warn, info or debug; each level also logs what the levels before it log',
    logLevels,
  ),
  logFormat: choice(
    'text',
    'FORMAT',
    'format of the log: text (with short ids) or json (one object per line)',
    logFormats,
  ),
}

const names = Object.keys(settings) as readonly (keyof Config)[]

/** `tcpPort` as a flag: `tcp-port`. */
export const flagOf = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

const PREFIX = 'PEERPLANE_'

/** `tcpPort` in the environment: `PEERPLANE_TCP_PORT`. */
export const variableOf = (name: string): string =>
  PREFIX + flagOf(name).replaceAll('-', '_').toUpperCase()

/** Variables of this prefix that other programs read: the benchmarks and the search for the configuration file. */
const otherVariables = new Set(['PEERPLANE_TRACE', 'PEERPLANE_CONFIG'])

/** A configuration file as it was read. */
interface ConfigFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/** The given settings, by their source. */
export interface ConfigSources {
  /** By flag, without the dashes. */
  readonly flags: Readonly<Record<string, unknown>>
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly file?: ConfigFile | undefined
}

/**
 * Resolves the configuration. Flags override environment variables, which override the file, which overrides the defaults.
 * Throws `invalid-configuration` for an unknown key, with the most similar known key, and for an invalid value.
 */
export function resolveConfig({ flags, environment, file }: ConfigSources): Config {
  const found: Record<string, unknown> = {}
  if (file) take(found, parseFile(file), `${file.path}: `, (name) => name)
  const variables = Object.entries(environment).filter(
    ([key, value]) => key.startsWith(PREFIX) && !otherVariables.has(key) && value !== undefined,
  )
  take(found, Object.fromEntries(variables), '', variableOf)
  take(found, flags, '', (name) => `--${flagOf(name)}`, '--')
  return Object.fromEntries(
    names.map((name) => [name, found[name] ?? settings[name].default]),
  ) as unknown as Config
}

/** Adds what one source sets; `keyOf` is how that source spells the name of a setting. */
function take(
  found: Record<string, unknown>,
  source: Readonly<Record<string, unknown>>,
  where: string,
  keyOf: (name: string) => string,
  dashes = '',
): void {
  const known = new Map(names.map((name) => [keyOf(name), name]))
  for (const [given, value] of Object.entries(source)) {
    const key = dashes + given
    const name = known.get(key)
    if (!name) {
      const close = nearest(key, [...known.keys()])
      const hint = close === undefined ? '' : `; the nearest known key is ${close}`
      throw new PeerplaneError('invalid-configuration', `${where}${key} is unknown${hint}`, {
        advice: '"peerplane help up" lists all settings.',
      })
    }
    const read = settings[name].read(value)
    if (read === undefined) {
      throw invalid(`${where}${key} must be ${settings[name].form}, not ${JSON.stringify(value)}`)
    }
    found[name] = read
  }
}

function parseFile({ path, bytes }: ConfigFile): Record<string, unknown> {
  let parsed: unknown
  try {
    // Editors on Windows begin a file with a byte order mark; it is no part of the JSON (RFC 8259, section 8.1).
    parsed = JSON.parse(fromUtf8(bytes).replace(/^\uFEFF/, ''))
  } catch (cause) {
    throw invalid(`${path} is not JSON: ${(cause as Error).message}`)
  }
  if (typeof parsed === 'object' && parsed && !Array.isArray(parsed)) {
    return parsed as Record<string, unknown>
  }
  throw invalid(`${path} must hold an object`)
}

const invalid = (reason: string): PeerplaneError =>
  new PeerplaneError('invalid-configuration', reason)
