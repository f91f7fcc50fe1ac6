// An honest member: writer, reader, or one that comes and goes. It reports to its parent what happens, in milliseconds that all processes share.
import { join } from 'node:path'
import { hrtime } from 'node:process'
import { setTimeout } from 'node:timers/promises'

import { open, type Plane } from '@peerplane/node'

import { HEART, kinds, Pulse, VICTIM } from './entities.ts'

const PATIENCE_MS = 45_000
const STAY_MS = 500

const [role, data, invitation, perSecond = '1'] = process.argv.slice(2) as [
  string,
  string,
  string,
  string?,
]
const entities = [Pulse, ...Object.values(kinds)]
const roles: Readonly<Record<string, () => Promise<void>>> = { write, read, visit, comeAndGo }

process.on('disconnect', () => process.exit(0))
// The probe lets a program end that waits for nothing else.
process.channel?.ref()
await roles[role]!()
tell({ ready: true })

/** Beats at a steady rate from a time that its parent sets. A beat counts from when it was due, whether or not this process managed to make it. */
async function write(): Promise<void> {
  const plane = await linked('writer')
  process.once('message', () => {
    const everyMs = 1_000 / Number(perSecond)
    const started = now()
    let number = 0
    setInterval(() => {
      for (let due = started + number * everyMs; due <= now(); due += everyMs) {
        void beat(plane, ++number, due)
      }
    }, everyMs / 2)
  })
}

async function beat(plane: Plane, number: number, due: number): Promise<void> {
  tell({ due: { number, at: due } })
  try {
    await plane.get(Pulse, HEART).beat(number)
    tell({ acknowledged: { number, at: now() } })
  } catch (error) {
    tell({ refused: String(error) })
  }
}

async function read(): Promise<void> {
  const plane = await linked('reader')
  plane.get(Pulse, HEART).subscribe(({ number }) => tell({ shown: { number, at: now() } }))
  for (const kind of Object.values(kinds)) plane.get(kind, VICTIM).subscribe(() => {})
}

/** For each number of beats that its parent sends, a new device joins, waits for a later beat, and leaves. */
async function visit(): Promise<void> {
  let visits = 0
  process.on('message', (message) => {
    const { later } = message as { readonly later?: number }
    if (later !== undefined) void visitOnce(join(data, String(visits++)), later)
  })
}

async function visitOnce(folder: string, later: number): Promise<void> {
  const started = now()
  const plane = await open({ entities, data: folder, join: invitation })
  let stop = (): void => {}
  const seen = await new Promise<boolean>((resolve) => {
    const timer = globalThis.setTimeout(() => resolve(false), PATIENCE_MS)
    const done = (): void => {
      clearTimeout(timer)
      resolve(true)
    }
    stop = plane.get(Pulse, HEART).subscribe(({ number }) => {
      if (number > later) done()
    })
  })
  // `null` for never: messages are JSON.
  tell({ visited: seen ? now() - started : null })
  stop()
  await plane.close()
}

/** The same device connects, stays for a moment, leaves, and comes again under a new network id. It never writes. */
async function comeAndGo(): Promise<void> {
  void (async () => {
    for (;;) {
      const plane = await linked('guest')
      await setTimeout(STAY_MS)
      await plane.close()
      tell({ came: true })
    }
  })()
}

/** A plane that is connected to the anchor. */
async function linked(name: string): Promise<Plane> {
  const plane = await open({ entities, data: join(data, name), join: invitation })
  await new Promise<void>((resolve) => {
    plane.onStatus(({ peers }) => {
      if (peers.some(({ anchor }) => anchor)) resolve()
    })
  })
  return plane
}

function tell(message: object): void {
  process.send?.(message)
}

/** Monotonic, and the same clock in every process of this machine. */
function now(): number {
  return Number(hrtime.bigint()) / 1e6
}
