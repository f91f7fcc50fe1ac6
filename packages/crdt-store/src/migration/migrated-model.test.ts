import {
  counter,
  entity,
  map,
  migrate,
  record,
  register,
  set,
  storedShape,
  type Body,
  type DeviceId,
  type Entity,
  type EntityState,
  type HandleOf,
  type Json,
  type MirrorOf,
  type SessionId,
} from '@peerplane/core'
import { bodyAt, rounds } from '@peerplane/core/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { nativeModel } from '../kernels/native-model.ts'
import { migratedModel } from './migrated-model.ts'

/*
 * Three versions of an app edit one entity. The second renames a field and converts a register to one with more values; the third converts it
 * again, to numbers, drops a field and uses its name for something else.
 */

type Status = 'todo' | 'doing' | 'done'
const statuses: readonly Status[] = ['todo', 'doing', 'done']

const shape1 = record({
  title: register(''),
  done: register(false),
  likes: counter(),
  note: register(''),
  cards: map(record({ text: register(''), votes: counter() })),
})
const shape2 = record({
  name: register(''),
  status: register<Status>('todo'),
  likes: counter(),
  note: register(''),
  tags: set(),
  cards: map(record({ label: register(''), votes: counter(), points: counter() })),
})
const shape3 = record({
  name: register(''),
  status: register(0),
  likes: counter(),
  tags: set(),
  note: set(),
  cards: map(record({ label: register(''), votes: counter(), points: counter() })),
})
const history2 = migrate(shape1)
  .rename('title', 'name')
  .convert('done', 'status', register<Status>('todo'), {
    up: (done): Status => (done ? 'done' : 'todo'),
    down: (status) => status === 'done',
  })
  .in('cards', (card) => card.rename('text', 'label'))
/** Halves are kept as they are, and count as the status below. */
const asStatus = (code: number): Status => statuses[Math.floor(code)] ?? 'done'
const history3 = history2
  .convert('status', 'status', register(0), {
    up: (status) => statuses.indexOf(status as Status),
    down: asStatus,
  })
  .drop('note')

const commands = {}
const versions: readonly Entity[] = [
  entity('task', { state: shape1, commands }),
  entity('task', { version: 4, state: shape2, migrations: history2, commands }),
  entity('task', { version: 6, state: shape3, migrations: history3, commands }),
]
const models = versions.map((declared) => {
  const { shape, lens } = storedShape(declared)
  return lens.kind === 'same' ? nativeModel(shape) : migratedModel(nativeModel(shape), lens)
})

type Handle1 = HandleOf<typeof shape1>
type Handle2 = HandleOf<typeof shape2>
type Handle3 = HandleOf<typeof shape3>
interface Mirrors {
  readonly 0: MirrorOf<typeof shape1>
  readonly 1: MirrorOf<typeof shape2>
  readonly 2: MirrorOf<typeof shape3>
}

/** What a replica does at once. `code` is a status, as the third version writes it. */
interface Edit {
  readonly title: string | undefined
  readonly code: number | undefined
  readonly by: number
  readonly key: string
}
const edit: fc.Arbitrary<Edit> = fc.record({
  title: fc.option(fc.uuid(), { nil: undefined }),
  code: fc.option(fc.constantFrom(0, 0.5, 1, 1.5, 2), { nil: undefined }),
  by: fc.integer({ min: 1, max: 3 }),
  key: fc.constantFrom('k', 'l'),
})

const editors: readonly ((handle: never, edit: Edit) => void)[] = [
  (handle: Handle1, { title, code, by, key }) => {
    if (title !== undefined) handle.title.set(title)
    if (code !== undefined && handle.done.value !== (code === 2)) handle.done.set(code === 2)
    handle.likes.increment(by)
    handle.cards.get(key).votes.increment(by)
    if (title !== undefined) handle.cards.get(key).text.set(title)
  },
  (handle: Handle2, { title, code, by, key }) => {
    if (title !== undefined) handle.name.set(title)
    if (code !== undefined) handle.status.set(asStatus(code))
    handle.likes.increment(by)
    handle.cards.get(key).points.increment(by)
    if (title !== undefined) handle.cards.get(key).label.set(title)
    handle.tags.add(`${by}`)
  },
  (handle: Handle3, { title, code, by, key }) => {
    if (title !== undefined) handle.name.set(title)
    if (code !== undefined) handle.status.set(code)
    handle.likes.increment(by)
    handle.cards.get(key).points.increment(by)
    handle.note.add(`${by}`)
  },
]

/** A status as each version shows it. */
const asVersion = (code: number, version: number): Json =>
  version === 0 ? code === 2 : version === 1 ? asStatus(code) : code
const statusIn = (mirror: Json, version: number): Json =>
  (mirror as { readonly [name: string]: Json })[version === 0 ? 'done' : 'status']!
/** What a shown status looks like in an older version. */
const older = (status: Json, from: number, to: number): Json => {
  if (from === to) return status
  const down = from === 2 ? asStatus(status as number) : status === 'done'
  return older(down, from - 1, to)
}

interface Replica {
  readonly version: number
  readonly state: EntityState
  readonly known: Body[]
}

const step = fc.oneof(
  fc.record({ do: fc.constant('edit' as const), replica: fc.nat(3), edit }),
  fc.record({ do: fc.constant('sync' as const), from: fc.nat(3), to: fc.nat(3) }),
)

test('three versions of an app edit the same entity, and each shows what all of them have written', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 25 }),
      fc.constantFrom([0, 1, 2, 1], [0, 0, 1, 1], [0, 2, 0, 2]),
      async (steps, kinds) => {
        const replicas = await Promise.all(
          kinds.map(async (version): Promise<Replica> => ({
            version,
            state: await models[version]!.open(undefined),
            known: [],
          })),
        )
        const done: { readonly version: number; readonly edit: Edit; readonly code?: number }[] = []
        steps.forEach((each, time) => {
          if (each.do === 'sync') {
            sync(replicas[each.from]!, replicas[each.to]!)
            return
          }
          const replica = replicas[each.replica]!
          const { version } = replica
          const before = statusIn(replica.state.mirror, version)
          change(replica, each.replica, time + 1, each.edit)
          // A value that is shown already is not written.
          const { code } = each.edit
          const isWritten = code !== undefined && asVersion(code, version) !== before
          done.push({ version, edit: each.edit, ...(isWritten ? { code } : {}) })
        })
        for (const from of replicas) for (const to of replicas) sync(from, to)
        for (const from of replicas) for (const to of replicas) sync(from, to)
        check(replicas, done)
      },
    ),
    { numRuns: rounds(200) },
  )
})

function check(
  replicas: readonly Replica[],
  done: readonly { readonly version: number; readonly edit: Edit; readonly code?: number }[],
): void {
  const mirrors = replicas.map(({ state }) => state.mirror)
  const likes = done.reduce((sum, { edit: { by } }) => sum + by, 0)
  const last = done.findLast(({ code }) => code !== undefined)
  const title = done.findLast(({ edit }) => edit.title !== undefined)?.edit.title ?? ''
  replicas.forEach(({ version, state }, i) => {
    expect(mirrors[i]).toEqual(mirrors[replicas.findIndex((other) => other.version === version)])
    expect(state.skipped).toBeUndefined()
    const mirror = mirrors[i] as unknown as Mirrors[0] & Mirrors[1] & Mirrors[2]
    expect(mirror.likes).toBe(likes)
    expect(version === 0 ? mirror.title : mirror.name).toBe(title)
    const shown = statusIn(mirrors[i]!, version)
    // Both as the older of the two versions shows them.
    const oldest = Math.min(version, last?.version ?? version)
    const written = last ? asVersion(last.code!, last.version) : asVersion(0, version)
    const expected = older(written, last?.version ?? version, oldest)
    expect(older(shown, version, oldest)).toEqual(expected)
    const votes = (key: string, versionsOf: (version: number) => boolean): number =>
      done
        .filter((each) => each.edit.key === key && versionsOf(each.version))
        .reduce((sum, { edit: { by } }) => sum + by, 0)
    for (const key of Object.keys(mirror.cards)) {
      const card = (mirror.cards as { [key: string]: { votes: number; points?: number } })[key]!
      expect(card.votes).toBe(votes(key, (v) => v === 0))
      expect(card.points).toBe(version > 0 ? votes(key, (v) => v > 0) : undefined)
    }
  })
}

function change(replica: Replica, device: number, time: number, made: Edit): void {
  const edited = editors[replica.version]!
  run(replica, device, time, (handle: never) => edited(handle, made))
}

function run(
  { state, known }: Replica,
  device: number,
  time: number,
  how: (handle: never) => void,
): void {
  const seq = known.filter(({ origin }) => origin.session === sessionOf(device)).length + 1
  const origin = {
    device: `0${device}`.repeat(32) as DeviceId,
    session: sessionOf(device),
    seq,
    time: { ms: time, counter: 0 },
  }
  const draft = state.begin(origin)
  how(draft.handle as never)
  const bytes = draft.finish()
  if (!bytes) return
  const body = bodyAt(origin, bytes)
  state.identify(body)
  known.push(body)
}

const sessionOf = (device: number): SessionId => `0${device}`.repeat(16) as SessionId

function sync(from: Replica, to: Replica): void {
  const fresh = from.known.filter((body) => !to.known.includes(body))
  expect(to.state.fold(fresh)).toEqual([])
  to.known.push(...fresh)
}

test('a value that cannot be converted leaves the rest readable, and the entity says what it lacks', async () => {
  const anything = record({ done: register<Json>(null), title: register('') })
  const migrations = migrate(record({ done: register(false), title: register('') })).convert(
    'done',
    'status',
    register('todo'),
    {
      up: (done) => {
        if (typeof done !== 'boolean') throw new Error('not a boolean')
        return done ? 'done' : 'todo'
      },
      down: (status) => status === 'done',
    },
  )
  const state = record({ status: register('todo'), title: register('') })
  const { shape, lens } = storedShape(entity('task', { version: 2, state, migrations, commands }))
  const hostile = await nativeModel(anything).open(undefined)
  const honest = await migratedModel(nativeModel(shape), lens).open(undefined)
  const write = (seq: number, value: Json): Body => {
    const session = sessionOf(1)
    const origin = {
      device: '00'.repeat(32) as DeviceId,
      session,
      seq,
      time: { ms: seq, counter: 0 },
    }
    const draft = hostile.begin(origin)
    const handle = draft.handle as HandleOf<typeof anything>
    handle.done.set(value)
    handle.title.set(`title ${seq}`)
    const body = bodyAt(origin, draft.finish()!)
    hostile.identify(body)
    return body
  }
  expect(honest.fold([write(1, { done: true })])).toEqual([])
  expect(honest.mirror).toEqual({ status: 'todo', title: 'title 1' })
  expect(honest.skipped).toBe('"status" cannot be converted: not a boolean')
  honest.fold([write(2, true)])
  expect(honest.mirror).toEqual({ status: 'done', title: 'title 2' })
  expect(honest.skipped).toBeUndefined()
})

test('an entry that an older app removes goes with all fields, or stays with all fields', async () => {
  const open = async (version: number): Promise<Replica> => ({
    version,
    state: await models[version]!.open(undefined),
    known: [],
  })
  const [old, now] = [await open(0), await open(1)]
  const made: Edit = { title: 'T', code: undefined, by: 2, key: 'k' }
  const cards = ({ state }: Replica): Json => (state.mirror as unknown as Mirrors[0]).cards
  let time = 0
  const remove = (): void => run(old!, 0, ++time, (handle: Handle1) => handle.cards.delete('k'))
  change(now!, 1, ++time, made)
  sync(now!, old!)
  // A change that the older app does not know keeps the entry.
  remove()
  run(now!, 1, ++time, (handle: Handle2) => handle.cards.get('k').points.increment(1))
  sync(now!, old!)
  sync(old!, now!)
  expect(cards(old!)).toEqual({ k: { text: 'T', votes: 0 } })
  expect(cards(now!)).toEqual({ k: { label: 'T', votes: 0, points: 3 } })
  remove()
  sync(old!, now!)
  expect([cards(old!), cards(now!)]).toEqual([{}, {}])
  change(old!, 0, ++time, { ...made, by: 1 })
  sync(old!, now!)
  expect(cards(now!)).toEqual({ k: { label: 'T', votes: 1, points: 0 } })
})
