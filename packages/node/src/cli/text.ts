import type { PlaneStatus } from '@peerplane/runtime'

import { table } from './table.ts'

/** What a daemon answers about itself. */
export interface DaemonStatus extends PlaneStatus {
  /** Name of its store: its `--space`. */
  readonly name: string
}

/** The status of a daemon for people. */
export function statusText(status: DaemonStatus): string {
  const { network } = status
  const lines = [
    ['space', `${status.name}, ${status.space}`],
    ['device', status.device],
    ['storage', status.storage],
    ['commits', `${status.commits} held, ${status.waiting} waiting, ${status.forks} forks`],
    ['pending', `${status.pendingCommands} own commands`],
    ['network', networkText(status)],
    ['connections', String(network?.connections.length ?? 0)],
    ...refusedText(network),
    ...status.addresses.map((address, i) => [i === 0 ? 'addresses' : '', address]),
    ...problemsOf(status).map((problem, i) => [i === 0 ? 'wrong' : '', problem]),
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

/** What is wrong, a sentence each. */
function problemsOf(status: PlaneStatus): string[] {
  const { storage, undone, waiting, unreadable, contradicted, forks, clockDoubt, lastError } =
    status
  const problems: [wrong: unknown, text: string][] = [
    [storage === 'failing', 'The storage fails: new commands are not durable.'],
    [
      undone,
      `Since the start, ${some(undone, 'command was', 'commands were')} acknowledged and then undone, because the storage refused to write: free space or repair the disk, then repeat the commands. Durability \`local\` acknowledges only what is stored.`,
    ],
    [
      waiting,
      `${some(waiting, 'commit is', 'commits are')} stored but not shown yet, because commits that must come before are still on other devices.`,
    ],
    [
      unreadable,
      `${some(unreadable, 'session stops', 'sessions stop')} before a commit that cannot be read here: update this program.`,
    ],
    [
      contradicted,
      `${some(contradicted, 'session depends', 'sessions depend')} on a different version of a commit that this device holds: a device was restored from a copy, or lied.`,
    ],
    [
      forks,
      `${some(forks, 'session is', 'sessions are')} forked: a device signed two versions, and the commits at and after the fork have no effect. A device with a copied store continues in a new session.`,
    ],
    [
      status.void,
      `Since the start, ${some(status.void, 'commit has', 'commits have')} had no effect, because of a broken rule of a state model: update the application that wrote them.`,
    ],
    [clockDoubt, `The clock of this device seems wrong: ${clockDoubt}.`],
    [lastError, `${lastError?.code}: ${lastError?.message}`],
  ]
  return problems.flatMap(([wrong, text]) => (wrong ? [text] : []))
}

const some = (count: number, one: string, many: string): string =>
  `${count} ${count === 1 ? one : many}`
