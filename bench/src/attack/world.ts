import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hrtime } from 'node:process'
import { createInterface } from 'node:readline'

import type { Target } from './attack.ts'
import { Child } from './child.ts'
import { Ledger, type Mark } from './ledger.ts'
import type { Needs } from './measured.ts'

const START_MS = 60_000

/** A daemon that is an anchor, and honest members that work through it, each a process. */
export interface World {
  readonly target: Target
  readonly ledger: Ledger
  /** For what further processes keep. */
  readonly folder: string
  /** Milliseconds of the clock that all processes share. */
  now(): number
  /** What each process needed since the last call. */
  needs(): Promise<Record<string, Needs>>
  /** Milliseconds until a new member sees what is written after it has come; `Infinity` if it does not. */
  visit(): Promise<number>
  /** How often the daemon has cut a device off, by reason; it says so in its log, unless that is set to `off` or `error`. */
  banned(): Readonly<Record<string, number>>
  /** Processes that have ended though nobody asked them to, and commands of honest members that failed. */
  losses(): string[]
  end(): Promise<void>
}

/** Starts a world and its steady work: so many honest writes in a second, which every new member has to fetch. */
export async function startWorld(beatsPerSecond = 20): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'peerplane-attack-'))
  const children: Record<string, Child> = {}
  const end = async (): Promise<void> => {
    await Promise.all(Object.values(children).map((child) => child.end()))
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const ledger = new Ledger()
    children['daemon'] = startDaemon(folder)
    const banned = countBanned(children['daemon'])
    const target = await targetOf(children['daemon'], folder)
    for (const role of ['write', 'read', 'visit'] as const) {
      const args = [role, folder, target.invitation, String(beatsPerSecond)]
      children[role] = new Child('./honest.ts', args, true, (message) => note(ledger, message))
    }
    const { daemon, write, read, visit } = children as Record<
      'daemon' | 'write' | 'read' | 'visit',
      Child
    >
    await Promise.all([write, read, visit].map((child) => child.next('ready', START_MS)))
    write.send('begin')
    await read.next('shown', START_MS)
    const visitOnce = async (): Promise<number> => {
      const seen = visit.next<number | null>('visited', START_MS)
      visit.send({ later: ledger.last })
      return (await seen) ?? Number.POSITIVE_INFINITY
    }
    // The first one loads what the others find loaded.
    await visitOnce()
    return {
      target,
      ledger,
      folder,
      now: () => Number(hrtime.bigint()) / 1e6,
      async needs() {
        const [ofDaemon, ofWriter, ofReader] = await Promise.all(
          [daemon, write, read].map((child) => child.needs()),
        )
        return { daemon: ofDaemon!, writer: ofWriter!, reader: ofReader! }
      },
      visit: visitOnce,
      banned: () => ({ ...banned }),
      losses: () => [
        ...Object.entries(children).flatMap(([name, { ended }]) =>
          ended === undefined ? [] : [`the ${name} ${ended}`],
        ),
        ...ledger.refusals.slice(0, 3),
      ],
      end,
    }
  } catch (error) {
    await end()
    throw error
  }
}

function startDaemon(folder: string): Child {
  const site = join(folder, 'site')
  mkdirSync(site)
  writeFileSync(join(site, 'index.html'), '<!doctype html><title>A page</title>')
  writeFileSync(join(site, 'large.txt'), 'x'.repeat(16 << 20))
  const ports = ['--port', '0', '--tcp-port', '0', '--http-port', '0']
  const args = ['up', '--json', '--anchor', ...ports, '--data', folder, '--space', 'd']
  return new Child('../../../packages/node/src/cli.ts', [...args, '--serve', site], true)
}

function countBanned(daemon: Child): Record<string, number> {
  const counts: Record<string, number> = {}
  createInterface(daemon.stderr).on('line', (line) => {
    const why = / device\.banned .*why=(\S+)/.exec(line)?.[1]
    if (why !== undefined) counts[why] = (counts[why] ?? 0) + 1
  })
  return counts
}

async function targetOf(daemon: Child, folder: string): Promise<Target> {
  for await (const line of createInterface(daemon.stdout)) {
    const { addresses, url } = JSON.parse(line) as {
      readonly addresses: readonly string[]
      readonly url: string
    }
    const portOf = (isWebSocket: boolean): number =>
      Number(addresses.find((each) => each.endsWith('/ws') === isWebSocket)?.split('/')[4])
    const { hostname, port, hash } = new URL(url)
    return {
      host: hostname,
      webSocketPort: portOf(true),
      tcpPort: portOf(false),
      pagePort: Number(port),
      control: join(folder, 'd', 'control.sock'),
      invitation: hash.replace('#join=', ''),
    }
  }
  throw new Error('the daemon ended without being ready')
}

function note(ledger: Ledger, message: object): void {
  const { due, acknowledged, shown, refused } = message as {
    readonly [kind in 'due' | 'acknowledged' | 'shown']?: Mark
  } & { readonly refused?: string }
  if (due) ledger.due(due)
  if (acknowledged) ledger.acknowledged(acknowledged)
  if (shown) ledger.shown(shown)
  if (refused !== undefined) ledger.refused(refused)
}
