import { variableOf } from '../config.ts'
import { commandHelp } from './commands.ts'
import type { CommandHelp, CommandName } from './commands.ts'
import { table } from './table.ts'

/** What `peerplane help` prints. */
export function helpText(): string {
  const commands = Object.entries(commandHelp).map(([name, { about }]) => [name, about])
  return `peerplane: a device of a local-first data plane

${table(commands, '  peerplane ')}

"peerplane help COMMAND", or COMMAND --help, prints what a command takes. --version (-v) and --help (-h) stand for commands too.
Exit codes: 0 done, 1 failed, 2 wrong use or configuration, 3 the store is open in another process, 4 no daemon runs.
`
}

/** What `peerplane help COMMAND` prints. */
export function commandHelpText(name: CommandName): string {
  const { about, details, flags, word }: CommandHelp = commandHelp[name]
  const entries = Object.entries(flags)
  const rows = entries.map(([flag, { argument, about: does, setting }]) => [
    `--${flag}${argument === undefined ? '' : ` ${argument}`}`,
    setting === undefined ? '' : variableOf(setting),
    does,
  ])
  const usage = [name, word === undefined ? '' : `[${word}]`, rows.length > 0 ? '[FLAGS]' : '']
  const settings =
    name === 'up'
      ? '\n\nEach setting can also be given as the environment variable in the second column, or in the configuration file under the name of its flag without dashes, such as tcpPort.'
      : ''
  return [
    `peerplane ${usage.filter(Boolean).join(' ')}: ${about}`,
    ...(details === '' ? [] : [details + settings]),
    ...(rows.length === 0 ? [] : [table(rows, '  ')]),
  ]
    .join('\n\n')
    .concat('\n')
}
