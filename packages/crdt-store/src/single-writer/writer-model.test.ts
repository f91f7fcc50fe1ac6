import {
  counter,
  entity,
  entityKey,
  events,
  limits,
  Rejected,
  toHex,
  value,
  hash,
  utf8,
  encodeCanonical,
  type Body,
  type DeviceId,
  type EntityState,
  type HandleOf,
  type Json,
  type Origin,
  type SessionId,
  type Value,
} from '@peerplane/core'
import { bodyAt, processorTime, stateModelContract } from '@peerplane/core/testing'
import { describe, expect, test } from 'vitest'

import { nativeModel } from '../kernels/native-model.ts'
import { eventsModel, valueModel } from './writer-model.ts'

const journal = events([] as string[], {
  added: (list, text: string) => [...list, text],
  cleared: () => [],
  failed: (list, text: string) => {
    if (text === 'bad') throw new Error('this text is bad')
    return [...list, text]
  },
})
type Journal = HandleOf<typeof journal>
const setting = value<Json>(null)
type Setting = HandleOf<typeof setting>

/** What the compiler must accept: each state takes values that differ from the first one. */
export const typed = [
  entity('typed', {
    state: events(
      { count: 0, of: { on: false } },
      { added: (s, by: number) => ({ ...s, count: by }) },
    ),
    commands: {
      add: (state, by: number) => state.emit('added', by),
      // @ts-expect-error A text is not what this event holds.
      wrong: (state) => state.emit('added', 'x'),
      // @ts-expect-error There is no such event.
      unknown: (state) => state.emit('removed', 1),
      // @ts-expect-error This event holds something.
      nothing: (state) => state.emit('added'),
      on: (state): boolean => state.value.of.on,
    },
  }),
  entity('setting', {
    state: value<{ readonly mode: 'light' | 'dark'; readonly size: number }>({
      mode: 'light',
      size: 0,
    }),
    commands: {
      darken: (state) => state.set({ mode: 'dark', size: 3 }),
      // @ts-expect-error There is no such mode.
      wrong: (state) => state.set({ mode: 'grey', size: 3 }),
    },
  }),
]

/** Takes over where another device, or another branch, is in the way. */
function settle(handle: Journal | Setting, choose: (below: number) => number) {
  const { branches } = handle
  if (branches.length > 0) handle.choose(branches[choose(branches.length)]!.key)
}

stateModelContract('events', async () => ({
  hasCanonicalSnapshots: true,
  model: eventsModel(journal),
  edit: (handle, choose) => {
    const state = handle as Journal
    settle(state, choose)
    for (let left = 1 + choose(3); left > 0; left--) state.emit('added', `${choose(100)}`)
    if (choose(5) === 0) state.emit('cleared')
  },
}))

stateModelContract('a value', async () => ({
  hasCanonicalSnapshots: true,
  model: valueModel(setting),
  edit: (handle, choose) => {
    const state = handle as Setting
    settle(state, choose)
    state.set({ at: choose(100), of: [state.branches.length, state.value === null] })
  },
}))

const device = (name: string): DeviceId => toHex(hash('device', utf8(name))) as DeviceId
const sessionId = (name: string): SessionId =>
  toHex(hash('session', utf8(name)).slice(0, 16)) as SessionId

/** Session `name` of the device with the first letter of that name. */
const at = (name: string, seq: number, ms = seq): Origin => ({
  device: device(name[0]!),
  session: sessionId(name),
  seq,
  time: { ms, counter: 0 },
})

/** Runs a handler on a state, and gives the body of its commit. */
function run(state: EntityState, origin: Origin, handler: (journal: Journal) => unknown): Body {
  const draft = state.begin(origin)
  try {
    handler(draft.handle as Journal)
    const body = bodyAt(origin, draft.finish()!)
    state.identify(body)
    return body
  } catch (error) {
    draft.revert()
    throw error
  }
}

const look = <T>(state: EntityState, handler: (handle: Journal) => T): T => {
  const draft = state.begin(at('onlooker', 1))
  const seen = handler(draft.handle as Journal)
  draft.revert()
  return seen
}

const open = (bodies: readonly Body[] = [], model = eventsModel(journal)): Promise<EntityState> =>
  model.open(undefined).then((state) => {
    state.fold(bodies)
    return state
  })

const add =
  (...texts: string[]) =>
  (state: Journal) =>
    texts.forEach((text) => state.emit('added', text))

describe('one writer', () => {
  test('events are folded in their order, on every device', async () => {
    const state = await open()
    const bodies = [run(state, at('a1', 1), add('x', 'y')), run(state, at('a1', 2), add('z'))]
    expect(state.mirror).toEqual(['x', 'y', 'z'])
    expect((await open(bodies)).mirror).toEqual(['x', 'y', 'z'])
    expect(look(state, ({ branches }) => branches)).toMatchObject([
      { writer: device('a'), number: 3, incomplete: false },
    ])
  })

  test('a handler sees what it has emitted, and cannot change it', async () => {
    const state = await open()
    run(state, at('a1', 1), (handle) => {
      add('x')(handle)
      expect(handle.value).toEqual(['x'])
      expect(() => handle.value.push('y')).toThrow(TypeError)
      expect(handle.branches).toMatchObject([{ value: ['x'], number: 1 }])
    })
    expect(state.mirror).toEqual(['x'])
  })

  test('the next session of the device goes on without a conflict', async () => {
    const state = await open()
    const first = run(state, at('a1', 1), add('x'))
    const second = run(state, at('a2', 1, 2), add('y'))
    expect((await open([first, second])).mirror).toEqual(['x', 'y'])
    expect(look(state, ({ branches }) => branches.length)).toBe(1)
  })

  test('another device is rejected until it takes over', async () => {
    const state = await open([run(await open(), at('a1', 1), add('x'))])
    expect(() => run(state, at('b1', 1), add('y'))).toThrow(Rejected)
    expect(() => run(state, at('b1', 1), add('y'))).toThrow(/not-writer/)
    run(state, at('b1', 1), (handle) => {
      handle.choose(handle.branches[0]!.key)
      add('y')(handle)
    })
    expect(state.mirror).toEqual(['x', 'y'])
    expect(look(state, ({ branches }) => branches)).toMatchObject([{ writer: device('b') }])
    expect(() => run(state, at('a1', 2), add('z'))).toThrow(/not-writer/)
  })

  test('only the device that the id names has an effect, if the id names one', async () => {
    const owned = (id: string): Promise<EntityState> =>
      eventsModel(journal).open(undefined, entityKey('journal', id))
    const [own, foreign] = [device('a'), run(await open(), at('b1', 1, 999), add('y'))]
    for (const id of [own, `${own}/notes`]) {
      const state = await owned(id)
      run(state, at('a1', 1), add('x'))
      expect(state.fold([foreign])).toEqual([foreign])
      expect(state.mirror).toEqual(['x'])
      expect(() => run(state, at('b2', 1), add('y'))).toThrow(/not-writer/)
      expect(() => run(state, at('b2', 1), (h) => h.choose(h.branches[0]!.key))).toThrow(/only/)
    }
    const free = await owned(`of-${own}`)
    expect(free.fold([foreign])).toEqual([])
  })

  test('only the writer deletes, or a device that has chosen a branch; the next writer begins from the start', async () => {
    const state = await open([run(await open(), at('a1', 1), add('x', 'y'))])
    expect(() => state.begin(at('b1', 1)).delete()).toThrow(/not-writer/)
    const owned = await eventsModel(journal).open(undefined, entityKey('journal', device('a')))
    run(owned, at('a1', 1), add('x'))
    expect(() => owned.begin(at('b1', 1)).delete()).toThrow(/only device/)
    for (const [name, chooses] of [
      ['a2', false],
      ['b1', true],
    ] as const) {
      const draft = state.begin(at(name, 2))
      const handle = draft.handle as Journal
      if (chooses) handle.choose(handle.branches[0]!.key)
      draft.delete()
      expect([draft.exists, handle.value, handle.branches]).toEqual([false, [], []])
      expect(draft.finish()).toBeDefined()
      draft.revert()
      expect(state.mirror).toEqual(['x', 'y'])
    }
    const draft = state.begin(at('a1', 2))
    draft.delete()
    state.identify(bodyAt(at('a1', 2), draft.finish()!))
    run(state, at('b1', 1), add('new'))
    expect(state.mirror).toEqual(['new'])
    expect(look(state, ({ branches }) => branches)).toMatchObject([{ number: 1 }])
  })

  test('choosing the only branch makes no commit if the device has written it', async () => {
    const state = await open([run(await open(), at('a1', 1), add('x'))])
    for (const name of ['a1', 'a2']) {
      const draft = state.begin(at(name, 2, 9))
      const handle = draft.handle as Journal
      handle.choose(handle.branches[0]!.key)
      expect(draft.finish()).toBeUndefined()
    }
    const draft = state.begin(at('b1', 1))
    const handle = draft.handle as Journal
    handle.choose(handle.branches[0]!.key)
    expect(draft.finish()).toBeDefined()
  })

  test('a value that does not change makes no commit; an event always does', async () => {
    const state = await valueModel(setting).open(undefined)
    const set = (name: string, seq: number, to: Json): Uint8Array | undefined => {
      const draft = state.begin(at(name, seq))
      ;(draft.handle as Setting).set(to)
      return draft.finish()
    }
    expect(set('a1', 1, null)).toBeUndefined()
    expect(set('a1', 1, { b: 1, a: 2 })).toBeDefined()
    expect(set('a1', 2, { a: 2, b: 1 })).toBeUndefined()
    expect(set('a2', 1, { a: 2, b: 1 })).toBeUndefined()
    expect(state.mirror).toEqual({ a: 2, b: 1 })
  })

  test('null is shown, also if the initial state is something else', async () => {
    const one = valueModel(value<Json>('initial'))
    const replaced = events('initial' as Json, { set: (_, to: Json) => to })
    const other = eventsModel(replaced)
    for (const [model, write] of [
      [one, (handle: unknown) => (handle as Setting).set(null)],
      [other, (handle: unknown) => (handle as HandleOf<typeof replaced>).emit('set', null)],
    ] as const) {
      const state = await model.open(undefined)
      const body = run(state, at('a1', 1), write)
      expect(state.mirror).toBe(null)
      expect((await open([body], model)).mirror).toBe(null)
      expect(look(state, (handle) => handle.value)).toBe(null)
    }
  })
})

describe('a conflict', () => {
  /** A backup of what session a1 has written first is restored, and goes on as session a2. */
  async function restored(): Promise<{ bodies: Body[]; state: EntityState }> {
    const [main, first] = [await open(), [] as Body[]]
    first.push(run(main, at('a1', 1), add('x')))
    const backup = await open(first)
    const tail = run(main, at('a1', 2, 5), add('lost'))
    const late = run(backup, at('a2', 1, 9), add('new'))
    const bodies = [...first, tail, late]
    return { bodies, state: await open(bodies) }
  }

  test('shows the branch that began last, with all branches, in any order', async () => {
    const { bodies, state } = await restored()
    const [first, tail, late] = bodies as [Body, Body, Body]
    for (const each of [state, await open([first, late, tail])]) {
      expect(each.mirror).toEqual(['x', 'new'])
      expect(look(each, ({ branches }) => branches.map(({ value: shown }) => shown))).toEqual([
        ['x', 'new'],
        ['x', 'lost'],
      ])
    }
  })

  test('the session whose branch is not shown is rejected until it chooses', async () => {
    const { bodies, state } = await restored()
    expect(() => run(state, at('a1', 3), add('more'))).toThrow(/conflict/)
    const choice = run(state, at('a1', 3, 20), (handle) => {
      handle.choose(handle.branches[1]!.key)
      expect(handle.branches).toHaveLength(1)
      add('kept')(handle)
    })
    for (const each of [state, await open([...bodies, choice])]) {
      expect(each.mirror).toEqual(['x', 'lost', 'kept'])
      expect(look(each, ({ branches }) => branches.length)).toBe(1)
    }
  })

  test('the shown session goes on, and the other branch stays', async () => {
    const { state } = await restored()
    run(state, at('a2', 2, 10), add('more'))
    expect(state.mirror).toEqual(['x', 'new', 'more'])
    expect(look(state, ({ branches }) => branches.length)).toBe(2)
  })

  test('a choice that was made before more arrived leaves a conflict', async () => {
    const { bodies, state } = await restored()
    const more = run(await open([bodies[0]!, bodies[1]!]), at('a1', 3, 6), add('unseen'))
    const choice = run(state, at('a3', 1, 30), ({ branches, choose }) => choose(branches[0]!.key))
    for (const order of [
      [...bodies, more, choice],
      [...bodies, choice, more],
    ]) {
      const each = await open(order)
      expect(each.mirror).toEqual(['x', 'new'])
      expect(look(each, ({ branches }) => branches.map(({ number }) => number))).toEqual([2, 3])
    }
  })

  test('a command chooses once, before it writes, among the branches that there are', async () => {
    const { state } = await restored()
    const refused = (handler: (handle: Journal) => void): unknown => {
      try {
        return run(state, at('a2', 2, 30), handler)
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(refused(({ choose }) => choose('nothing'))).toMatch(/absent/)
    expect(
      refused((handle) => {
        add('x')(handle)
        handle.choose(handle.branches[1]!.key)
      }),
    ).toMatch(/before it writes/)
  })

  test('of one device, the sessions that began last are kept, in any order', async () => {
    const bodies = await Promise.all(
      Array.from({ length: limits.branchesPerDevice + 2 }, async (_, i) =>
        run(await open(), at(`a${i}`, 1, 100 + i), add(`${i}`)),
      ),
    )
    const other = run(await open(), at('b1', 1, 1), add('other'))
    const state = await open([...bodies, other])
    expect(look(state, ({ branches }) => branches.length)).toBe(limits.branchesPerDevice + 1)
    expect((await open([other, ...bodies.reverse()])).snapshot()).toEqual(state.snapshot())
  })

  test('a branch that has ended stays ended when the session that ended it is kept no longer', async () => {
    const state = await open([run(await open(), at('b1', 1), add('x'))])
    const takeOver = (name: string, seq: number, ms: number): Body =>
      run(state, at(name, seq, ms), (handle) => {
        handle.choose(handle.branches[0]!.key)
        add(name)(handle)
      })
    takeOver('a1', 1, 2)
    for (let i = 2; i < limits.branchesPerDevice + 4; i++)
      run(state, at(`a${i}`, 1, i), add(`${i}`))
    expect(look(state, ({ branches }) => branches.length)).toBe(1)
    takeOver('b1', 2, 50)
    takeOver('c1', 1, 51)
    expect(look(state, ({ branches }) => branches.length)).toBe(1)
  })

  test('a session that claims to begin earlier than it has begun gains nothing, in any order', async () => {
    const begin = (name: string, seq: number, rank: number): Body =>
      bodyAt(at(name, seq), encodeCanonical([3, [], rank, 0, [name], []]))
    const [high, low, other] = [begin('m1', 1, 10), begin('m1', 2, 1), begin('m2', 1, 5)]
    const rest = Array.from({ length: limits.branchesPerDevice - 1 }, (_, i) =>
      begin(`m${i + 3}`, 1, 20 + i),
    )
    const state = await open([high, other, ...rest, low])
    expect((await open([high, low, other, ...rest])).snapshot()).toEqual(state.snapshot())
  })

  test('a clock that is behind does not hide what a device writes', async () => {
    const state = await open([run(await open(), at('a1', 1, 1_000_000), add('x'))])
    run(state, at('a2', 1, 5), add('y'))
    expect(state.mirror).toEqual(['x', 'y'])
  })
})

describe('bodies that are not as they should be', () => {
  const body = (origin: Origin, fields: Value): Body => bodyAt(origin, encodeCanonical(fields))
  const begin: Value = [3, [], 1, 0, ['x'], []]
  const names = (count: number): Value =>
    Array.from({ length: count }, () => [new Uint8Array(16), 1, new Uint8Array(8)]).flat()

  test.each<[string, Value]>([
    ['another form', [4, []]],
    ['no list', 3],
    ['too many items', [1, ['added', 'x'], 0]],
    ['more than a native body', [[], [1], 1, 1]],
    ['no events', [1, []]],
    ['an event without a value', [1, ['added']]],
    ['an event with a number for a name', [1, [1, 'x']]],
    ['an event without a name', [1, ['', 'x']]],
    ['bytes that are no byte string', [2, { $bytes: 'AA' }]],
    ['a value that is too large', [2, 'x'.repeat(limits.valueBytes)]],
    ['a rank below 0', [3, [], -1, 0, [], []]],
    ['a number that is not whole', [3, [], 1, 0.5, [], []]],
    ['too many names', [3, names(limits.branchNames + 1), 1, 0, [], []]],
    [
      'a name of its own session',
      [3, [Buffer.from(sessionId('b1'), 'hex'), 1, new Uint8Array(8)], 1, 0, [], []],
    ],
    [
      'too many events',
      [
        1,
        Array.from({ length: 2 * limits.eventsPerSection + 2 }, (_, i) => (i % 2 ? 'x' : 'added')),
      ],
    ],
    ['deep nesting', [2, Array.from({ length: 40 }).reduce<Value>((inner) => [inner], 1)]],
  ])('%s is void', async (_, fields) => {
    const own = fields instanceof Array && fields[0] === 3 ? fields : fields
    const state = await open()
    const wrong = body(at('b1', 1), own)
    expect(state.fold([wrong])).toEqual([wrong])
    expect(state.mirror).toEqual([])
  })

  test.each<[string, Value]>([
    ['a native body', [[], [1]]],
    ['a change of a document', [new Uint8Array(9)]],
    ['a value', [2, 1]],
  ])('%s is of another kind, and makes the entity incomplete', async (_, fields) => {
    const state = await open([body(at('b1', 1), begin)])
    expect(state.fold([body(at('b1', 2), fields)])).toEqual([])
    expect(state.mirror).toEqual(['x'])
    expect(state.skipped).toBeDefined()
  })

  test('an entity that was only changed as another kind of state exists', async () => {
    for (const folded of [[], [body(at('b1', 1), [[], [1]])]]) {
      const state = await open(folded)
      expect(state.begin(at('b1', 2)).exists).toBe(folded.length > 0)
    }
  })

  test('a body of another kind in the next generation hides what is in this one', async () => {
    const state = await open([body(at('b1', 1), begin)])
    expect(state.fold([body(at('b1', 2), [[], [1], 1])])).toEqual([])
    expect([state.mirror, state.exists, state.skipped !== undefined]).toEqual([[], true, true])
  })

  test('the bodies of a single writer make an entity with another kind of state incomplete', async () => {
    for (const fields of [begin, [1, ['added', 'x']], [2, 'x']]) {
      const state = await nativeModel(counter()).open(undefined)
      expect(state.fold([body(at('b1', 1), fields)])).toEqual([])
      expect(state.mirror).toBe(0)
      expect(state.skipped).toMatch(/single writer/)
      const wrong = body(at('b1', 2), [...(fields as Value[]), 0])
      expect(state.fold([wrong])).toEqual([wrong])
    }
  })

  test('events of a session that has not begun have no effect', async () => {
    const state = await open()
    expect(state.fold([body(at('b1', 1), [1, ['added', 'x']])])).toEqual([])
    expect(state.mirror).toEqual([])
  })

  test('unknown events, and events that the app cannot fold, leave the rest of the state usable', async () => {
    const state = await open([
      body(at('a1', 1), [3, [], 1, 0, [], ['added', 'x', 'renamed', 'y', 'added', 'z']]),
    ])
    expect(state.mirror).toEqual(['x', 'z'])
    expect(state.skipped).toMatch(/renamed/)
    expect(look(state, ({ branches }) => branches)).toMatchObject([{ incomplete: true, number: 3 }])
    state.fold([body(at('a1', 2), [1, ['failed', 'bad', 'failed', 'good']])])
    expect(state.mirror).toEqual(['x', 'z', 'good'])
    run(state, at('a2', 1, 9), add('more'))
    expect(state.mirror).toEqual(['x', 'z', 'good', 'more'])
    expect(look(state, ({ branches }) => branches)).toMatchObject([{ incomplete: false }])
  })

  test('a command adds as many events as other devices take, and no more', async () => {
    const state = await open()
    const most = Array.from({ length: limits.eventsPerSection }, () => 'x')
    const large = run(state, at('a1', 1), (handle) => {
      for (const text of most) handle.emit(handle.value.length > 9 ? 'cleared' : 'added', text)
    })
    expect((await open([large])).mirror).toEqual(state.mirror)
    expect(() => run(state, at('a1', 2), add(...most, 'x'))).toThrow(/more than 250 events/)
  })

  test('a fold that throws in a command fails the command alone', async () => {
    const state = await open()
    expect(() => run(state, at('a1', 1), (h) => h.emit('failed', 'bad'))).toThrow(
      'this text is bad',
    )
    expect(() => run(state, at('a1', 1), (h) => h.emit('other' as 'added', 'x'))).toThrow(/"other"/)
    const ignoring = (handle: Journal): void => {
      handle.emit('added', 'y')
      expect(() => handle.emit('failed', 'bad')).toThrow('this text is bad')
    }
    expect(() => run(state, at('a1', 1), ignoring)).toThrow(/has thrown/)
    run(state, at('a1', 1), add('x'))
    expect(state.mirror).toEqual(['x'])
  })

  test('a fold that changes the state in place, or returns what is not JSON, does not get through', async () => {
    const careless = events([] as string[], {
      pushed: (list, text: string) => (list.push(text), list),
      lost: () => undefined as never,
    })
    const sent = body(at('a1', 1), [3, [], 1, 0, ['x'], ['pushed', 'y', 'lost', null]])
    const state = await open([sent], eventsModel(careless))
    expect(state.mirror).toEqual(['x'])
    expect(state.skipped).toMatch(/pushed/)
    const emit = (name: 'pushed' | 'lost'): void => {
      const draft = state.begin(at('a2', 1, 9))
      const handle = draft.handle as HandleOf<typeof careless>
      try {
        handle.emit(name, 'y' as never)
        draft.finish()
      } finally {
        draft.revert()
      }
    }
    expect(() => emit('pushed')).toThrow(TypeError)
    expect(() => emit('lost')).toThrow(/not JSON/)
    expect(state.mirror).toEqual(['x'])
  })

  test('a name with another prefix, or of a later commit, does not end a branch', async () => {
    const own = run(await open(), at('a1', 1), add('x'))
    const { session, device: by } = at('a1', 1)
    expect(by).toBe(device('a'))
    const id = Buffer.from(session, 'hex')
    for (const [seq, prefix] of [
      [1, '00'.repeat(8)],
      [2, own.prefix],
    ] as const) {
      const name = [new Uint8Array(id), seq, new Uint8Array(Buffer.from(prefix, 'hex'))]
      const hostile = body(at('m1', 1), [3, name, 0, 0, ['gone'], []])
      for (const bodies of [
        [own, hostile],
        [hostile, own],
      ]) {
        const state = await open(bodies)
        expect(look(state, ({ branches }) => branches.length)).toBe(2)
        expect(state.mirror).toEqual(['x'])
      }
    }
  })

  test('sessions that end each other hide nothing', async () => {
    const name = (origin: Origin, prefix: string): Value => [
      new Uint8Array(Buffer.from(origin.session, 'hex')),
      origin.seq,
      new Uint8Array(Buffer.from(prefix, 'hex')),
    ]
    // The prefix of a commit covers its body, so such a circle needs a commit that was made before the one that it follows.
    const forged = '11'.repeat(8)
    const one = body(at('m1', 1), [3, name(at('n1', 1), forged), 7, 0, ['one'], []])
    const two = {
      ...body(at('n1', 1), [3, name(at('m1', 1), one.prefix), 5, 0, ['two'], []]),
      prefix: forged,
    }
    const state = await open([one, two])
    expect(state.mirror).toEqual(['one'])
    expect(look(state, ({ branches }) => branches.length)).toBe(2)
  })

  test('an honest write is small and quick after a flood of sessions', async () => {
    const devices = 5
    const flood = Array.from({ length: 200 * devices }, (_, i) => {
      const origin = { ...at(`m${i}`, 1), device: device(`m${i % devices}`) }
      return body(origin, [3, [], i % 2 === 0 ? i : Number.MAX_SAFE_INTEGER, 0, [`${i}`], []])
    })
    const state = await open([run(await open(), at('a1', 1), add('x')), ...flood])
    expect(look(state, ({ branches }) => branches.length)).toBe(
      devices * limits.branchesPerDevice + 1,
    )
    const before = processorTime()
    const { bytes } = run(state, at('a1', 2, 2_000), (handle) => {
      handle.choose(handle.branches.find(({ writer }) => writer === device('a'))!.key)
      add('y')(handle)
    })
    expect(processorTime() - before).toBeLessThan(50)
    expect(bytes.length).toBeLessThan(4096)
    expect(state.mirror).toEqual(['x', 'y'])
  })

  test('an entity that holds too much is unreadable', async () => {
    const large = 'x'.repeat(60_000)
    const bodies = Array.from({ length: 100 }, (_, i) =>
      body({ ...at(`m${i}`, 1), device: device(`m${i}`) }, [3, [], 1, 0, [large], []]),
    )
    expect((await open(bodies.slice(0, 80))).problem).toBeUndefined()
    expect((await open(bodies)).problem).toMatch(/holds more/)
  })
})
