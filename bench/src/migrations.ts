import {
  counter,
  entity,
  map,
  migrate,
  record,
  register,
  storedShape,
  type DeviceId,
  type EntityState,
  type MapHandle,
  type RegisterHandle,
  type SessionId,
  type StateModel,
} from '@peerplane/core'
import { migratedModel, nativeModel } from '@peerplane/crdt-store'

import { readArguments } from './arguments.ts'

const CARDS = 1_000

const first = record({
  cards: map(record({ title: register(''), done: register(false), votes: counter() })),
})
const last = record({
  cards: map(record({ name: register(''), status: register('todo'), votes: counter() })),
})

/**
 * What migrations cost: a board of cards as its first version declares it, and as a version declares it that has renamed one field of the cards and
 * converted another one. In µs of CPU time, and in bytes of a section body.
 */
export async function benchMigrations(args: readonly string[]): Promise<number> {
  await readArguments('usage: npm run bench -- migrations', { args: [...args], options: {} })
  const { shape, lens } = storedShape(
    entity('board', {
      version: 2,
      state: last,
      migrations: migrate(first).in('cards', (card) =>
        card.rename('title', 'name').convert('done', 'status', register('todo'), {
          up: (done) => (done ? 'done' : 'todo'),
          down: (status) => status === 'done',
        }),
      ),
      commands: {},
    }),
  )
  const declaredModel = nativeModel(first)
  const model = migratedModel(nativeModel(shape), lens)
  const old: Fields = { text: 'title', converted: 'done', values: [false, true] }
  const now: Fields = { text: 'name', converted: 'status', values: ['doing', 'done'] }
  // The first rounds warm up.
  for (let round = 0; round < 3; round++)
    await Promise.all([measure(declaredModel, old), measure(model, now)])
  const declared = await measure(declaredModel, old)
  const migrated = await measure(model, now)
  console.log(JSON.stringify({ declared, migrated }))
  return migrated.write <= 5 * declared.write ? 0 : 1
}

interface Fields {
  readonly text: string
  readonly converted: string
  readonly values: readonly [unknown, unknown]
}

interface Handle {
  readonly cards: MapHandle<{ readonly [field: string]: RegisterHandle<never> }>
}

async function measure(model: StateModel, { text, converted, values }: Fields) {
  const state = await model.open(undefined)
  let seq = 0
  const set = (field: string, value: (n: number) => unknown) => (n: number) =>
    command(state, ++seq, ({ cards }) =>
      cards.get(`card ${n % CARDS}`)[field]!.set(value(n) as never),
    )
  const rename = measured(
    CARDS,
    set(text, (n) => `Card ${n}`),
  )
  const mirror = measured(1, () => Number(state.mirror === null))
  const write = measured(
    2 * CARDS,
    set(converted, (n) => values[n < CARDS ? 0 : 1]),
  )
  return {
    writeOfRenamed: rename.microseconds,
    bytesOfRenamed: rename.result,
    write: write.microseconds,
    bytes: write.result,
    mirror: mirror.microseconds,
  }
}

/** Runs a command, and returns the bytes of its body. */
function command(state: EntityState, seq: number, run: (handle: Handle) => void): number {
  const origin = {
    device: '00'.repeat(32) as DeviceId,
    session: '01'.repeat(16) as SessionId,
    seq,
    time: { ms: seq, counter: 0 },
  }
  const draft = state.begin(origin)
  run(draft.handle as Handle)
  const bytes = draft.finish()!
  state.identify({ origin, prefix: '00'.repeat(8), bytes })
  return bytes.length
}

/** CPU time of one of `times` calls, and the mean of their results. */
function measured(times: number, task: (n: number) => number) {
  const before = process.cpuUsage()
  let sum = 0
  for (let n = 0; n < times; n++) sum += task(n)
  const { user, system } = process.cpuUsage(before)
  return {
    microseconds: Math.round((10 * (user + system)) / times) / 10,
    result: Math.round((10 * sum) / times) / 10,
  }
}
