// One process of the benchmark: role, name of the peer, directory, number of rows, address to join.
import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { setImmediate, setTimeout } from 'node:timers/promises'

import type { Peer } from './peer.ts'
import { peers } from './peers.ts'
import type { Message, ReportKind, Reports, Usage } from './reports.ts'
import { areFinal, idOf, LIVE, liveChange, liveNumber, turns, UPDATES } from './workload.ts'

const [role, name, data, rows, join] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
]
const entities = Number(rows)
const module = await peers[name]!.load()
const sockets = new Set<Socket>()
subscribe('net.client.socket', (message) => {
  sockets.add((message as { socket: Socket }).socket)
})

const roles: Readonly<Record<string, () => Promise<void>>> = { write, open, serve, follow }
await roles[role]!()

/** W1. */
async function write(): Promise<void> {
  const peer = await module.open({ data })
  const before = usage()
  const started = performance.now()
  for (const turn of turns(entities)) {
    await peer.write(turn)
    await setImmediate()
  }
  await peer.settled()
  const seconds = since(started)
  await tell('written', { seconds, ...usageSince(before) })
  await peer.close()
}

/** Cold start on the store of W1. */
async function open(): Promise<void> {
  const started = performance.now()
  const peer = await module.open({ data })
  const openMs = performance.now() - started
  const first = await peer.rank(idOf(0))
  const firstMs = performance.now() - started
  const isRight = areFinal(await peer.ranks(), entities)
  const listMs = performance.now() - started - firstMs
  if (first !== UPDATES || !isRight) throw new Error('the store does not hold what was written')
  await tell('opened', { openMs, firstMs, listMs, ...usage() })
  await peer.close()
}

/** The serving side of W2, the writing side of W3. */
async function serve(): Promise<void> {
  const peer = await module.open({ data, serve: true })
  process.once('message', () => void writeLive(peer))
  process.once('disconnect', () => void end(peer))
  await tell('serving', { address: await peer.address() })
}

async function writeLive(peer: Peer): Promise<void> {
  const at: string[] = []
  const started = performance.now()
  for (let number = 0; number < LIVE.updates; number++) {
    const dueIn = started + (number * 1000) / LIVE.perSecond - performance.now()
    if (dueIn > 0) await setTimeout(dueIn)
    at.push(String(process.hrtime.bigint()))
    await peer.write([liveChange(number, entities)])
  }
  await peer.settled()
  await tell('called', { at, ...usage() })
}

/** The catching up side of W2, the receiving side of W3. */
async function follow(): Promise<void> {
  await module.warmUp?.(data)
  const before = usage()
  const started = performance.now()
  const peer = await module.open({ data, join })
  await lastShown(peer)
  while (!areFinal(await peer.ranks(), entities)) await setTimeout(2)
  const visibleSeconds = since(started)
  await peer.settled()
  const durableSeconds = since(started)
  const used = usageSince(before)
  await tell('caughtUp', { visibleSeconds, durableSeconds, wireBytes: wireBytes(), ...used })
  process.once('disconnect', () => void end(peer))
  await watchLive(peer)
}

async function lastShown(peer: Peer): Promise<void> {
  const last = idOf(entities - 1)
  const shown = new Promise<void>((resolve) => {
    peer.watch([last], (_, rank) => {
      if (rank === UPDATES) resolve()
    })
  })
  // It may have come before it was watched.
  if ((await peer.rank(last)) !== UPDATES) await shown
}

async function watchLive(peer: Peer): Promise<void> {
  const at: string[] = []
  let missing: number = LIVE.updates
  const ids = new Set(
    Array.from({ length: LIVE.rows }, (_, number) => liveChange(number, entities).id),
  )
  peer.watch([...ids], (_, rank) => {
    const number = liveNumber(rank)
    if (number < 0 || at[number] !== undefined) return
    at[number] = String(process.hrtime.bigint())
    if (--missing === 0) void tell('seen', { at, ...usage() })
  })
  // A system that calls back with the present state first has done so by then.
  await setTimeout(300)
  await tell('watching', {})
}

async function end(peer: Peer): Promise<void> {
  await peer.close()
  process.exit()
}

function wireBytes(): number {
  return [...sockets].reduce((sum, socket) => sum + socket.bytesRead + socket.bytesWritten, 0)
}

function usage(): Usage {
  const { user, system } = process.cpuUsage()
  return { cpuSeconds: (user + system) / 1e6, peakMiB: process.resourceUsage().maxRSS / 1024 }
}

/** Without what was used before, such as for the loading of modules; the peak is that of the process. */
function usageSince(before: Usage): Usage {
  const { cpuSeconds, peakMiB } = usage()
  return { cpuSeconds: cpuSeconds - before.cpuSeconds, peakMiB }
}

function since(started: number): number {
  return (performance.now() - started) / 1000
}

function tell<Kind extends ReportKind>(kind: Kind, report: Reports[Kind]): Promise<void> {
  const message: Message<Kind> = { kind, report }
  return new Promise((resolve) => process.send!(message, undefined, {}, () => resolve()))
}
