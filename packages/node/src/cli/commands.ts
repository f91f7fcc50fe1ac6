import { flagOf, settings } from '../config.ts'

/** One command of `peerplane`, as its help describes it. */
export interface CommandHelp {
  readonly about: string
  /** More than one line. */
  readonly details: string
  /** Flags that may follow it, by name. */
  readonly flags: Readonly<Record<string, Flag>>
  /** A word that may follow it. */
  readonly word?: string
}

/** A flag of the command line. */
export interface Flag {
  /** What it takes; `undefined` for a switch. */
  readonly argument: string | undefined
  readonly about: string
  /** Name of the setting that it sets. */
  readonly setting?: keyof typeof settings
}

const settingFlag = (name: keyof typeof settings): [string, Flag] => {
  const { argument, about, default: initial } = settings[name]
  const shown = typeof initial === 'string' || typeof initial === 'number'
  return [
    flagOf(name),
    { argument, about: about + (shown ? ` (default ${initial})` : ''), setting: name },
  ]
}

const everySetting = Object.fromEntries(
  (Object.keys(settings) as (keyof typeof settings)[]).map(settingFlag),
)
/** Which daemon is asked. */
const ofDaemon = Object.fromEntries([settingFlag('data'), settingFlag('space')])
const config: Flag = {
  argument: 'FILE',
  about: 'configuration file (default peerplane.json, if it exists)',
}

/** All commands, in the order in which help lists them. */
export const commandHelp = {
  up: {
    about: 'run a daemon; with --anchor, the daemon is the anchor of the space that it founds',
    details: `Runs until SIGTERM or Ctrl+C, then makes everything durable and stops. With --join, the device becomes a member of the space of the invitation. Without --join, the daemon opens the space in its store, or founds a new space. All settings are checked before anything is created.`,
    flags: {
      ...everySetting,
      config,
      json: {
        argument: undefined,
        about: 'when the daemon is ready, print its ids and addresses as JSON',
      },
    },
  },
  invite: {
    about: 'print an invitation to the space of the running daemon',
    details: `Anyone with the invitation can join the space until the invitation expires. --data and --space select the daemon.`,
    flags: {
      hours: { argument: 'N', about: 'hours until the invitation expires (default 24)' },
      anchor: {
        argument: undefined,
        about: 'invite an anchor: an always-on device that introduces and relays members',
      },
      'trust-clock': {
        argument: undefined,
        about: 'invite even if the clock of this device seems wrong',
      },
      ...ofDaemon,
      config,
    },
  },
  status: {
    about: 'print the status and the problems of the running daemon',
    details: `--data and --space select the daemon.`,
    flags: {
      json: { argument: undefined, about: 'print the status as JSON' },
      ...ofDaemon,
      config,
    },
  },
  conformance: {
    about: 'check that a running peer keeps the rules of the protocol',
    details: `Simulates devices that join the space with the invitation, and checks the answers of the peer at ADDRESS. Prints one line for each rule of docs/protocol.md that is checked. Without ADDRESS, tries the addresses in the invitation. The check takes about half a minute, and at most 60 seconds. The exit code is 1 if a rule is broken. About 40 devices join the space for the check, and then leave. What they wrote stays in the log of the space, on entities of the type "conformance". So use a space that is only for tests.`,
    flags: {
      invitation: {
        argument: 'TEXT',
        about: 'invitation to the space that the peer at ADDRESS belongs to, as a link or as text',
      },
      only: {
        argument: 'RULES',
        about:
          'check only the rules with these ids (separated by commas), and other rules that the same checks cover',
      },
      json: { argument: undefined, about: 'print the result as JSON' },
    },
    word: 'ADDRESS',
  },
  version: { about: 'print the version', details: '', flags: {} },
  help: {
    about: 'print this help, or the help of a command',
    details: '',
    flags: {},
    word: 'COMMAND',
  },
} as const satisfies Record<string, CommandHelp>

export type CommandName = keyof typeof commandHelp

export const isCommand = (word: string): word is CommandName => Object.hasOwn(commandHelp, word)
