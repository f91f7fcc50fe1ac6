import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import { open, type Plane } from '@peerplane/node'

import { answersOf, type Answers, type Known } from './answers.ts'
import { Card, Note } from './entities.ts'

/** A store with something in every table, as it lies on the disk. */
export interface Scene {
  /** Data directory after closing: everything is in the file. */
  readonly closed: string
  /** Data directory as it is when the process is killed: the latest writes are in the log of SQLite. */
  readonly killed: string
  readonly known: Known
  /** What is true of `closed`, and then after each acknowledged command that followed, up to what is true of `killed`. */
  readonly history: readonly Answers[]
}

const entities = [Card, Note]
const MANY = Array.from({ length: 24 }, (_, i) => `card ${i}`)
const SENTENCES = 80
const VISITS = 6
const known: Known = {
  cards: [...MANY, 'large', 'never made'],
  notes: ['diary', 'foreign', 'long', 'never made'],
  operations: Array.from({ length: 20 }, (_, i) => `operation ${i}`),
}
const COMMANDS = 16

/** Opens the store of a scene as it is, without a network. */
export const openScene = (data: string): Promise<Plane> => open({ data, entities, network: false })

/** Makes the scene below `folder`: two devices that met over libp2p, of which one is closed, opened again, and killed. */
export async function makeScene(folder: string): Promise<Scene> {
  const data = join(folder, 'data')
  await meet(data, join(folder, 'host'))
  const reopened = await openScene(data)
  for (const id of ['diary', 'long']) await reopened.get(Note, id).state()
  await reopened.get(Note, 'diary').write('The second session. ')
  await reopened.close()
  const closed = join(folder, 'closed')
  cpSync(data, closed, { recursive: true })

  const plane = await openScene(data)
  const ran = known.operations.slice(0, -COMMANDS)
  const history = [await answersAfter(plane, ran)]
  for (const [i, operationId] of known.operations.slice(-COMMANDS).entries()) {
    if (i % 4 === 3) await plane.get(Note, 'diary').write(`Then ${i}. `, { operationId })
    else await plane.get(Card, `card ${i}`).fill(`later ${i}`, { operationId })
    ran.push(operationId)
    history.push(await answersAfter(plane, ran))
  }
  const killed = join(folder, 'killed')
  mkdirSync(killed)
  cpSync(data, killed, { recursive: true })
  await plane.close()
  return { closed, killed, known, history }
}

/** What is true once these operations ran. Nobody asks for the others, which would keep them from running. */
async function answersAfter(plane: Plane, ran: readonly string[]): Promise<Answers> {
  const answers = await answersOf(plane, { ...known, operations: ran })
  const others = known.operations.filter((id) => !ran.includes(id))
  return { ...answers, ...Object.fromEntries(others.map((id) => [`operation ${id}`, 'null'])) }
}

/** The first session of the store, which is that of a guest, and what came from its host. */
async function meet(data: string, hostData: string): Promise<void> {
  const listen = ['/ip4/127.0.0.1/tcp/0/ws']
  const host = await open({ data: hostData, entities, listen, anchor: true })
  const guest = await open({ data, entities, join: await host.invite() })
  // Called together they share batches, called one after the other they do not.
  await Promise.all(MANY.map((id) => guest.get(Card, id).fill(`words on ${id}`)))
  await guest.get(Card, 'large').fill('a large value '.repeat(800))
  for (const operationId of known.operations.slice(0, -COMMANDS)) {
    await guest.get(Card, 'card 0').fill(`once, as ${operationId}`, { operationId })
  }
  const sentences = Array.from({ length: SENTENCES }, (_, i) => `The ${i}th sentence. `)
  await Promise.all(sentences.map((sentence) => guest.get(Note, 'long').write(sentence)))
  for (let i = 0; i < VISITS; i++) {
    await host.get(Note, 'foreign').write(`From elsewhere, ${i}. `)
    await host.get(Card, `card ${i}`).fill(`from elsewhere ${i}`)
  }
  const own = MANY.length + 1 + known.operations.length - COMMANDS + SENTENCES
  await holds(guest, own + 2 * VISITS)
  await guest.close()
  await host.close()
}

/** Resolves when a plane holds `wanted` commits, and none waits. */
async function holds(plane: Plane, wanted: number): Promise<void> {
  for (let ms = 0; ms < 60_000; ms += 50) {
    const { commits, waiting } = plane.status()!
    if (commits === wanted && waiting === 0) return
    await pause(50)
  }
  throw new Error(`${plane.status()!.commits} of ${wanted} commits came within a minute`)
}
