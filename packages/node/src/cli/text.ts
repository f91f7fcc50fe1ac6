import type { PlaneStatus } from '@peerplane/runtime'

import { flagOf, settings, variableOf } from '../config.ts'

/** What `peerplane help` prints. */
export function helpText(): string {
  const flags = Object.entries(settings).map(([name, { argument, about, default: initial }]) => [
    `--${flagOf(name)}${argument === undefined ? '' : ` ${argument}`}`,
    variableOf(name),
    about + (isShown(initial) ? ` (default ${initial})` : ''),
  ])
  return `peerplane: a device of a local-first data plane

  peerplane up        run a daemon; with --anchor, an anchor; --json prints its ready line as JSON
  peerplane invite    print an invitation to the space of the running daemon; --hours N (default 24)
  peerplane status    print how the running daemon is; --json prints it as data
  peerplane version
  peerplane help

Settings, as flag, in the environment, or by name in peerplane.json (another file: --config FILE):

${table(flags, '  ')}

invite and status need the --data and --space of their daemon.
Exit codes: 0 done, 1 failed, 2 wrong configuration, 3 the store is open in another process, 4 no daemon runs.
`
}

const isShown = (value: unknown): value is string | number =>
  typeof value === 'string' || typeof value === 'number'

/** The status of a daemon for people. */
export function statusText(status: PlaneStatus): string {
  const { network, lastError } = status
  const lines = [
    ['space', status.space],
    ['device', status.device],
    ['storage', status.storage],
    ['commits', `${status.commits} held, ${status.waiting} waiting, ${status.forks} forks`],
    ['pending', `${status.pendingCommands} own commands`],
    ['network', networkText(status)],
    ['connections', String(network?.connections.length ?? 0)],
    ...refusedText(network),
    ...status.addresses.map((address, i) => [i === 0 ? 'addresses' : '', address]),
    ...(lastError ? [['last error', `${lastError.code}: ${lastError.message}`]] : []),
  ]
  const peers = status.peers.map((peer) => [
    peer.device.slice(0, 16),
    peer.anchor ? 'anchor' : 'member',
    peer.path,
    ...[peer.announced, peer.pending, peer.behind].map(String),
  ])
  const head = ['peer', 'role', 'path', 'holds', 'lacks', 'has more']
  const shown = peers.length > 0 ? table([head, ...peers]) : 'no peers are connected'
  return `${table(lines)}\n\n${shown}\n`
}

function networkText({ online, network }: PlaneStatus): string {
  if (!online) return 'off'
  return network?.started ? 'on' : 'not started'
}

/** Many of them are an attack, or a limit that is too low here. */
function refusedText(network: PlaneStatus['network']): string[][] {
  const refused = Object.entries(network?.refused ?? {})
  return refused.length === 0
    ? []
    : [['refused', refused.map(([why, count]) => `${count} ${why}`).join(', ')]]
}

/** Rows with aligned columns. */
function table(rows: readonly (readonly string[])[], indent = ''): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  return rows
    .map((row) => indent + row.map((cell, i) => cell.padEnd(widths[i]!)).join('  '))
    .map((line) => line.trimEnd())
    .join('\n')
}
