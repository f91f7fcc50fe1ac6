// One process of the benchmark: role, directory, number of commits to wait for, address to join.
import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

import { open, type Plane } from '@peerplane/node'

import { Item, LOCAL } from './item.ts'

const [role, data, count, join] = process.argv.slice(2) as [string, string, string, string]

/** Live writes: a second and a half of typing, four times. */
const LIVE = { writes: 200, perSecond: 40 }
const IDLE_MS = 5_000

const sockets = new Set<Socket>()
subscribe('net.client.socket', (message) => {
  sockets.add((message as { socket: Socket }).socket)
})

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
const wireBytes = (): number =>
  [...sockets].reduce((sum, socket) => sum + socket.bytesRead + socket.bytesWritten, 0)
const tell = (report: object): void => void process.send!(report)
const next = (): Promise<unknown> =>
  new Promise((resolve) => process.once('message', (message) => resolve(message)))
process.once('disconnect', () => process.exit())

const roles: Readonly<Record<string, () => Promise<void>>> = { serve, follow, reopen }
await roles[role]!()

async function serve(): Promise<void> {
  const started = performance.now()
  const plane = await open({ entities: [Item], data, listen: [LOCAL] })
  const openMs = performance.now() - started
  tell({ openMs, address: await plane.invite() })
  await next()
  const idleCpu = await idle()
  const before = cpuMs()
  const began = performance.now()
  for (let number = 1; number <= LIVE.writes; number++) {
    const dueIn = began + (number * 1_000) / LIVE.perSecond - performance.now()
    if (dueIn > 0) await pause(dueIn)
    await plane.get(Item, 'live').rank(number)
  }
  tell({ msPerWrite: perWrite(cpuMs() - before, performance.now() - began, idleCpu) })
}

async function follow(): Promise<void> {
  const beforeCpu = cpuMs()
  const started = performance.now()
  const plane = await open({ entities: [Item], data, join })
  const firstMs = new Promise<number>((resolve) => {
    const timer = setInterval(() => {
      if (!plane.status()?.commits) return
      clearInterval(timer)
      resolve(performance.now() - started)
    }, 5)
  })
  await reaches(plane, Number(count))
  const catchUpSeconds = (performance.now() - started) / 1_000
  const catchUpCpuSeconds = (cpuMs() - beforeCpu) / 1_000
  const firstShownMs = await firstMs
  tell({ catchUpSeconds, catchUpCpuSeconds, firstShownMs, catchUpBytes: wireBytes() })
  await next()
  const shown = new Promise<void>((resolve) => {
    plane.get(Item, 'live').subscribe(({ rank }) => {
      if (rank === LIVE.writes) resolve()
    })
  })
  const wireBefore = wireBytes()
  const idleCpu = await idle()
  const idleBytesPerMinute = ((wireBytes() - wireBefore) * 60_000) / IDLE_MS
  const before = cpuMs()
  const began = performance.now()
  await shown
  const took = performance.now() - began
  tell({ msPerWrite: perWrite(cpuMs() - before, took, idleCpu), idleBytesPerMinute })
}

/** Opens what was closed in order: the process before was killed, so what it left to be done is done first. */
async function reopen(): Promise<void> {
  await (await open({ entities: [Item], data })).close()
  const started = performance.now()
  const plane = await open({ entities: [Item], data })
  tell({ secondOpenMs: performance.now() - started })
  await plane.close()
}

/** Processor time of doing nothing, per millisecond. */
async function idle(): Promise<number> {
  const before = cpuMs()
  await pause(IDLE_MS)
  return (cpuMs() - before) / IDLE_MS
}

function perWrite(cpu: number, took: number, idleCpu: number): number {
  return (cpu - idleCpu * took) / LIVE.writes
}

async function reaches(plane: Plane, commits: number): Promise<void> {
  while ((plane.status()?.commits ?? 0) < commits) await pause(50)
}
