import {
  entity,
  events,
  migrate,
  storedShape,
  value,
  type Body,
  type DeviceId,
  type EntityState,
  type HandleOf,
  type Json,
  type SessionId,
  type StateModel,
} from '@peerplane/core'
import { bodyAt, rounds } from '@peerplane/core/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { eventsModel, valueModel } from '../single-writer/writer-model.ts'
import { migratedModel } from './migrated-model.ts'

type Task1 = {
  readonly title: string
  readonly done: boolean
  readonly color: string
  /** Written by version 2 only. */
  readonly points?: number
}
const task1: Task1 = { title: '', done: false, color: 'red' }
const first = events(task1, {
  renamed: (task, title: string) => ({ ...task, title }),
  finished: (task) => ({ ...task, done: true }),
  reopened: (task) => ({ ...task, done: false }),
  painted: (task, color: string) => ({ ...task, color }),
})

type Task2 = {
  readonly name: string
  readonly status: 'todo' | 'done'
  readonly points: number
  readonly tag: string
}
const task2: Task2 = { name: '', status: 'todo', points: 0, tag: 'red' }
const second = events(task2, {
  named: (task, { to }: { to: string }) => ({ ...task, name: to }),
  moved: (task, status: 'todo' | 'done') => ({ ...task, status }),
  rated: (task, by: number) => ({ ...task, points: task.points + by }),
})
const toSecond = migrate(first).convertState(second, {
  up: ({ title, done, color, points = 0 }) => ({
    name: title,
    status: done ? 'done' : 'todo',
    points,
    tag: color,
  }),
  down: ({ name, status, points, tag }, before) => ({
    ...before,
    title: name,
    color: tag,
    done: status === 'done',
    ...(points === 0 ? {} : { points }),
  }),
  events: {
    named: ({ to }) => ['renamed', to],
    moved: (status) => [status === 'done' ? 'finished' : 'reopened', null],
  },
})

type Task3 = {
  readonly label: string
  readonly isDone: boolean
  readonly points: number
}
const task3: Task3 = { label: '', isDone: false, points: 0 }
const third = events(task3, {
  labelled: (task, label: string) => ({ ...task, label }),
  moved: (task, isDone: boolean) => ({ ...task, isDone }),
  rated: (task, by: number) => ({ ...task, points: task.points + by }),
  starred: (task) => ({ ...task, points: task.points + 1 }),
})
const toThird = toSecond.convertState(third, {
  up: ({ name, status, points }) => ({ label: name, isDone: status === 'done', points }),
  down: ({ label, isDone, points }, before) => ({
    ...before,
    name: label,
    status: isDone ? 'done' : 'todo',
    points,
  }),
  events: {
    labelled: (to) => ['named', { to }],
    moved: (isDone) => ['moved', isDone ? 'done' : 'todo'],
  },
})

const models = [
  eventsModel(first),
  modelOf(entity('task', { version: 2, state: second, migrations: toSecond, commands: {} })),
  modelOf(entity('task', { version: 3, state: third, migrations: toThird, commands: {} })),
] as const

type Handle = HandleOf<typeof first> & HandleOf<typeof second> & HandleOf<typeof third>

function modelOf(declared: Parameters<typeof storedShape>[0]): StateModel {
  const { shape, lens } = storedShape(declared)
  const model = shape.kind === 'events' ? eventsModel(shape as never) : valueModel(shape as never)
  return migratedModel(model, lens)
}

/** Devices with one version of the app each. */
class Devices {
  readonly states: EntityState[]
  readonly #sessions: number[]
  #seq = 0

  constructor(states: readonly EntityState[]) {
    this.states = [...states]
    this.#sessions = states.map(() => 0)
  }

  static async open(of: readonly StateModel[] = models): Promise<Devices> {
    return new Devices(await Promise.all(of.map((model) => model.open(undefined))))
  }

  get shown(): readonly Json[] {
    return this.states.map(({ mirror }) => mirror)
  }

  /** The device stores its state and opens it with another version. */
  async restart(device: number, model: StateModel): Promise<void> {
    this.states[device] = await model.open(this.states[device]!.snapshot())
    this.#sessions[device]!++
  }

  /** Runs a command that nobody else has seen yet. */
  write(device: number, run: (handle: Handle) => void): Body | undefined {
    const byte = device * 16 + this.#sessions[device]!
    const origin = {
      device: `0${device}`.repeat(32) as DeviceId,
      session: byte.toString(16).padStart(2, '0').repeat(16) as SessionId,
      seq: ++this.#seq,
      time: { ms: this.#seq, counter: 0 },
    }
    const draft = this.states[device]!.begin(origin)
    try {
      run(draft.handle as Handle)
    } catch (error) {
      draft.revert()
      throw error
    }
    const bytes = draft.finish()
    if (!bytes) return undefined
    const body = bodyAt(origin, bytes)
    this.states[device]!.identify(body)
    return body
  }

  read(device: number, run: (handle: Handle) => void): void {
    if (this.write(device, run)) throw new Error('a look has written')
  }

  deliver(from: number, body: Body | undefined): void {
    if (!body) return
    for (const [i, state] of this.states.entries()) {
      if (i !== from && state.fold([body]).length > 0) throw new Error('a body is void')
    }
  }

  /** Runs a command of the writer, or takes over. All devices receive what it has written. */
  command(device: number, run: (handle: Handle) => void): Body | undefined {
    const body = this.write(device, (handle) => {
      const [branch] = handle.branches
      if (branch) handle.choose(branch.key)
      run(handle)
    })
    this.deliver(device, body)
    return body
  }
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('name'), to: fc.string({ maxLength: 3 }) }),
  fc.record({ kind: fc.constant('done'), to: fc.boolean() }),
  fc.record({ kind: fc.constant('paint'), to: fc.string({ maxLength: 3 }) }),
  fc.record({ kind: fc.constant('restart'), to: fc.nat(2) }),
)

test('three versions of an app write one state by events, and each shows it in its own form', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(2), step), { minLength: 1, maxLength: 12 }),
      async (steps) => {
        const devices = await Devices.open()
        const versions = [0, 1, 2]
        let [title, done, color] = ['', false, 'red']
        for (const [device, { kind, to }] of steps) {
          const version = versions[device]!
          if (kind === 'restart') {
            await devices.restart(device, models[(versions[device] = to as number)]!)
          } else if (kind === 'name') {
            title = to as string
            devices.command(device, (task) => {
              if (version === 0) task.emit('renamed', title)
              if (version === 1) task.emit('named', { to: title })
              if (version === 2) task.emit('labelled', title)
            })
          } else if (kind === 'done') {
            done = to as boolean
            devices.command(device, (task) => {
              if (version === 0) task.emit(done ? 'finished' : 'reopened')
              if (version === 1) task.emit('moved', done ? 'done' : 'todo')
              if (version === 2) (task as HandleOf<typeof third>).emit('moved', done)
            })
          } else if (version === 0) {
            color = to as string
            devices.command(device, (task) => task.emit('painted', color))
          }
          const forms = [
            { title, done, color },
            { name: title, status: done ? 'done' : 'todo', points: 0, tag: color },
            { label: title, isDone: done, points: 0 },
          ]
          expect(devices.shown).toEqual(versions.map((each) => forms[each]))
          expect(devices.states.map(({ skipped }) => skipped)).toEqual(
            versions.map(() => undefined),
          )
        }
      },
    ),
    { numRuns: rounds(60) },
  )
})

test('a converted event is stored byte for byte as version 1 stores it', async () => {
  const stored = async (version: number, run: (task: Handle) => void): Promise<Uint8Array> => {
    const devices = new Devices([await models[version]!.open(undefined)])
    devices.write(0, (task) => run(task))
    return devices.write(0, (task) => run(task))!.bytes
  }
  const bytes = await stored(0, (task) => task.emit('renamed', 'x'))
  expect(await stored(1, (task) => task.emit('named', { to: 'x' }))).toEqual(bytes)
  expect(await stored(2, (task) => task.emit('labelled', 'x'))).toEqual(bytes)
})

test('an event that only later versions declare keeps what they do not show, and is skipped by version 1', async () => {
  const devices = await Devices.open()
  devices.command(0, (task) => task.emit('painted', 'blue'))
  devices.command(1, (task) => {
    task.emit('rated', 2)
    expect(task.value).toEqual({ name: '', status: 'todo', points: 2, tag: 'blue' })
  })
  devices.command(2, (task) => task.emit('rated', 2))
  devices.command(2, (task) => task.emit('starred'))
  expect(devices.states[1]!.skipped).toContain('"starred" that is not declared')
  await devices.restart(2, models[2])
  devices.command(2, (task) => task.emit('labelled', ''))
  expect(devices.shown.slice(1)).toEqual([
    { name: '', status: 'todo', points: 5, tag: 'blue' },
    { label: '', isDone: false, points: 5 },
  ])
  expect(devices.states[0]!.skipped).toContain('"rated" that is not declared')
  // The next session begins with the state, and version 1 keeps members that it does not know.
  await devices.restart(1, models[1])
  devices.command(1, (task) => task.emit('moved', 'done'))
  devices.command(0, (task) => task.emit('renamed', 'x'))
  expect(devices.shown).toEqual([
    { title: 'x', done: true, color: 'blue', points: 5 },
    { name: 'x', status: 'done', points: 5, tag: 'blue' },
    { label: 'x', isDone: true, points: 5 },
  ])
})

test('branches are shown in the form of the version, and a device with any version chooses one', async () => {
  const devices = await Devices.open()
  const bodies = [
    devices.write(0, (task) => task.emit('renamed', 'old')),
    devices.write(1, (task) => task.emit('named', { to: 'new' })),
  ]
  for (const [from, body] of bodies.entries()) devices.deliver(from, body)
  expect(devices.states.map(({ hasConflict }) => hasConflict)).toEqual([true, true, true])
  const shown = (device: number): unknown => {
    let values: unknown
    devices.read(device, ({ branches }) => {
      values = branches.map((branch) => [branch.value, branch.number, branch.incomplete])
    })
    return values
  }
  const inForm = (form: (title: string) => object): unknown =>
    ['new', 'old'].map((title) => [form(title), 1, false])
  expect(shown(0)).toEqual(inForm((title) => ({ title, done: false, color: 'red' })))
  expect(shown(1)).toEqual(inForm((name) => ({ name, status: 'todo', points: 0, tag: 'red' })))
  expect(shown(2)).toEqual(inForm((label) => ({ label, isDone: false, points: 0 })))
  expect(() => devices.write(2, (task) => task.emit('labelled', 'x'))).toThrow('choose its branch')
  const chosen = devices.write(2, (task) => {
    task.choose(task.branches[1]!.key)
    expect(task.value).toMatchObject({ label: 'old' })
    ;(task as HandleOf<typeof third>).emit('moved', true)
    expect(task.branches.map((branch) => branch.value)).toEqual([
      { label: 'old', isDone: true, points: 0 },
    ])
  })
  devices.deliver(2, chosen)
  expect(devices.shown.slice(0, 2)).toEqual([
    { title: 'old', done: true, color: 'red' },
    { name: 'old', status: 'done', points: 0, tag: 'red' },
  ])
  expect(devices.states.map(({ hasConflict }) => hasConflict)).toEqual([false, false, false])
})

test('a command that the stored form cannot keep fails, and nothing is written', async () => {
  const numbers = events({ sum: 0 }, { added: (state, by: number) => ({ sum: state.sum + by }) })
  const lasts = events(
    { sum: 0, last: 0 },
    {
      added: (state, by: number) => ({ sum: state.sum + by, last: by }),
      listed: (state, { by }: { by: number }) => ({ ...state, sum: state.sum + by }),
      odd: (state) => ({ ...state, last: 1 }),
    },
  )
  const migrations = migrate(numbers).convertState(lasts, {
    up: ({ sum }) => ({ sum, last: 0 }),
    down: ({ sum }) => ({ sum }),
    events: { listed: ({ by }) => ['added', by] },
  })
  const model = modelOf(entity('sum', { version: 2, state: lasts, migrations, commands: {} }))
  const devices = await Devices.open([model, eventsModel(numbers)])
  const lost = expect.objectContaining({ code: 'invalid-declaration' })
  const body = devices.write(0, (handle) => {
    const state = handle as unknown as HandleOf<typeof lasts>
    // The function of version 1 does not keep `last`, and neither does `down`.
    for (const name of ['added', 'odd'] as const) {
      expect(() => state.emit(name, 2 as never)).toThrow(lost)
    }
    expect(() => state.emit('unknown' as never, null as never)).toThrow(
      'no event is declared as "unknown"',
    )
    expect(() => state.emit('listed', {} as never)).toThrow('is undefined')
    state.emit('listed', { by: 5 })
    expect(state.value).toEqual({ sum: 5, last: 0 })
  })
  devices.deliver(0, body)
  expect(devices.shown).toEqual([{ sum: 5, last: 0 }, { sum: 5 }])
})

type Settings1 = {
  readonly dark: boolean
  readonly size: number
  readonly accent?: string
}
const settings1 = value<Settings1>({ dark: false, size: 1 })
type Settings2 = {
  readonly theme: 'light' | 'dark' | 'dim'
}
const settings2 = value<Settings2>({ theme: 'light' })
const settings = entity('settings', {
  version: 2,
  state: settings2,
  migrations: migrate(settings1).convertState(settings2, {
    up: ({ dark, accent }) => ({ theme: dark ? (accent === 'dim' ? 'dim' : 'dark') : 'light' }),
    down: ({ theme }, before) => ({
      ...before,
      dark: theme !== 'light',
      accent: theme === 'dim' ? 'dim' : '',
    }),
  }),
  commands: {},
})

test('two versions of an app set one value, and what only one of them knows survives', async () => {
  const devices = await Devices.open([valueModel(settings1 as never), modelOf(settings)])
  const set = (device: number, change: (before: never) => object): Body | undefined =>
    devices.command(device, (handle) => {
      const state = handle as unknown as { readonly value: never; set(value: object): void }
      state.set(change(state.value))
    })
  set(0, () => ({ dark: false, size: 7 }))
  expect(devices.shown).toEqual([{ dark: false, size: 7 }, { theme: 'light' }])
  set(1, () => ({ theme: 'dim' }))
  expect(devices.shown).toEqual([{ dark: true, size: 7, accent: 'dim' }, { theme: 'dim' }])
  set(0, (before: Settings1) => ({ ...before, size: 8 }))
  expect(devices.shown).toEqual([{ dark: true, size: 8, accent: 'dim' }, { theme: 'dim' }])
  // What is shown is not written again.
  expect(set(0, (before) => before)).toBeUndefined()
  expect(set(1, () => ({ theme: 'dim' }))).toBeDefined()
  expect(set(1, () => ({ theme: 'dim' }))).toBeUndefined()
  const lost = expect.objectContaining({ code: 'invalid-declaration' })
  devices.read(1, (handle) => {
    const state = handle as unknown as HandleOf<typeof settings2>
    expect(() => state.set({ theme: 'blue' as never })).toThrow(lost)
  })
  await devices.restart(1, valueModel(settings1 as never))
  expect(devices.shown).toEqual([0, 1].map(() => ({ dark: true, size: 8, accent: 'dim' })))
})

test('a stored value that cannot be converted shows the initial state, and can be replaced', async () => {
  const devices = await Devices.open([valueModel(value<Json>(null) as never), modelOf(settings)])
  const set = (device: number, to: Json): Body | undefined =>
    devices.command(device, (handle) =>
      (handle as unknown as HandleOf<typeof settings1>).set(to as never),
    )
  set(0, null)
  expect(devices.states[1]!.skipped).toBeUndefined()
  set(0, { dark: true, size: 1 })
  set(0, null)
  expect(devices.states[1]!.mirror).toEqual({ theme: 'light' })
  expect(devices.states[1]!.skipped).toContain('the state cannot be converted')
  devices.read(1, ({ branches }) => expect(branches[0]!.incomplete).toBe(true))
  set(1, { theme: 'light' })
  expect(devices.shown).toEqual([{ dark: false, size: 1, accent: '' }, { theme: 'light' }])
  expect(devices.states[1]!.skipped).toBeUndefined()
})
