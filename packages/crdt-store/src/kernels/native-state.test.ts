import {
  counter,
  decodeCanonical,
  encodeCanonical,
  fromHex,
  limits,
  map,
  record,
  register,
  set,
  type Body,
  type DeviceId,
  type EntityState,
  type HandleOf,
  type Json,
  type Origin,
  type SessionId,
  type Shape,
  type Value,
} from '@peerplane/core'
import { bodyAt, processorTime } from '@peerplane/core/testing'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'

import { nativeModel } from './native-model.ts'

const shape = record({
  stock: map(counter()),
  title: register<Json>('untitled'),
  tags: set<string | number>(),
  count: counter(),
})
const model = nativeModel(shape)
const deviceId = (n: number): DeviceId => n.toString(16).padStart(2, '0').repeat(32) as DeviceId
const sessionId = (n: number): SessionId => n.toString(16).padStart(32, '0') as SessionId

let alice: EntityState
let bob: EntityState
let seqs: Map<number, number>

beforeEach(async () => {
  alice = await model.open(undefined)
  bob = await model.open(undefined)
  seqs = new Map()
})

function originOf(session: number, ms = 0): Origin {
  const seq = (seqs.get(session) ?? 0) + 1
  seqs.set(session, seq)
  return { device: deviceId(session), session: sessionId(session), seq, time: { ms, counter: 0 } }
}

/** A command on a state by a session, for the others to fold. */
function run(
  state: EntityState,
  session: number,
  command: (handle: HandleOf<typeof shape>) => void,
  ms?: number,
): Body {
  const origin = originOf(session, ms)
  const draft = state.begin(origin)
  try {
    command(draft.handle as HandleOf<typeof shape>)
    const body = bodyAt(origin, draft.finish()!)
    state.identify(body)
    return body
  } catch (error) {
    draft.revert()
    throw error
  }
}

const FORGER = 66

/** A body that no handler would write. */
const forged = (ops: Value, commits: readonly Body[] = []): Body =>
  bodyAt(originOf(FORGER), encodeCanonical([commits.flatMap(named), ops]))

/** How a body lists the commit of another. */
const named = ({ origin: { session, seq }, prefix }: Body): Value[] => [
  fromHex(session),
  seq,
  fromHex(prefix),
]

describe('native state', () => {
  test('an addition that is concurrent with a deletion wins', () => {
    bob.fold([run(alice, 1, (h) => h.tags.add('x'))])
    const deleted = run(alice, 1, (h) => h.tags.delete('x'))
    const added = run(bob, 2, (h) => h.tags.add('x'))
    alice.fold([added])
    bob.fold([deleted])
    expect(alice.mirror).toMatchObject({ tags: ['x'] })
    expect(bob.mirror).toMatchObject({ tags: ['x'] })
  })

  test('a concurrent increment keeps the whole entry that another device removes', () => {
    bob.fold([run(alice, 1, (h) => h.stock.get('pear').increment(5))])
    const more = run(alice, 1, (h) => h.stock.get('pear').increment(2))
    const removed = run(bob, 2, (h) => h.stock.delete('pear'))
    expect(bob.mirror).toMatchObject({ stock: {} })
    alice.fold([removed])
    bob.fold([more])
    expect(alice.mirror).toMatchObject({ stock: { pear: 7 } })
    expect(bob.snapshot()).toEqual(alice.snapshot())
  })

  test('of concurrent writes of a register the latest is shown; a later one supersedes both', () => {
    const early = run(alice, 1, (h) => h.title.set('early'), 10)
    const late = run(bob, 2, (h) => h.title.set('late'), 20)
    alice.fold([late])
    bob.fold([early])
    expect([alice.mirror, bob.mirror]).toMatchObject([{ title: 'late' }, { title: 'late' }])
    const both = run(alice, 3, (h) => h.title.set('both'), 5)
    bob.fold([both])
    expect(bob.mirror).toMatchObject({ title: 'both' })
  })

  test('an op whose commit was named before it came stays without effect, in either order', () => {
    const body = run(alice, 1, (h) => h.title.set('hello'))
    const eraser = forged([['title', [0, 'gone', [0]]]], [body])
    alice.fold([eraser])
    bob.fold([eraser])
    bob.fold([body])
    expect(bob.mirror).toEqual(alice.mirror)
    expect(bob.snapshot()).toEqual(alice.snapshot())
  })

  const again: [string, number, Value[]][] = [
    ['increments of a counter', 10, [['count', 1]]],
    ['writes of a register', 10, [['title', [0, 'x', []]]]],
    ['additions to a set', 10, [['tags', [1, 'x']]]],
    ['increments in a map', 10, [['stock', [3, 'a', 1]]]],
    [
      'increments and removals in a map',
      10,
      [
        ['stock', [3, 'a', 1]],
        ['stock', [4, 'a', []]],
      ],
    ],
  ]
  test.each(again)('%s by one session take the room of one, whatever they name', (_, more, ops) => {
    alice.fold([forged(ops)])
    bob.fold([forged(ops)])
    const one = alice.snapshot().length
    alice.fold([forged(Array.from({ length: 20 }, () => ops).flat())])
    for (let i = 0; i < 10; i++) alice.fold([forged(ops)])
    expect(alice.snapshot().length).toBeLessThanOrEqual(one + more)
  })

  test('a session takes back what it has done without naming it, and nothing that another has done meanwhile', () => {
    const both = (h: HandleOf<typeof shape>): void => {
      h.tags.add('x')
      h.stock.get('a').increment()
    }
    const neither = (h: HandleOf<typeof shape>): void => {
      h.tags.delete('x')
      h.stock.delete('a')
    }
    const other = run(bob, 2, both)
    bob.fold([run(alice, 1, both)])
    const takenBack = run(alice, 1, neither)
    expect(decodeCanonical(takenBack.bytes)).toEqual([
      [],
      [
        ['tags', [2, 'x', []]],
        ['stock', [4, 'a', []]],
      ],
    ])
    expect(alice.mirror).toMatchObject({ tags: [], stock: {} })
    bob.fold([takenBack])
    alice.fold([other])
    expect(bob.mirror).toMatchObject({ tags: ['x'], stock: { a: 2 } })
    expect(bob.snapshot()).toEqual(alice.snapshot())
  })

  test('what a command looked at before it was reverted is not shown', () => {
    bob.fold([run(alice, 1, (h) => h.tags.add('x'))])
    const draft = bob.begin(originOf(2))
    const handle = draft.handle as HandleOf<typeof shape>
    handle.tags.add('y')
    handle.stock.get('a').increment()
    expect([handle.tags.values, handle.stock.keys]).toEqual([['x', 'y'], ['a']])
    draft.revert()
    expect(bob.mirror).toMatchObject({ tags: ['x'], stock: {} })
  })

  test.each<[string, (h: HandleOf<typeof shape>) => void]>([
    ['an element that is there is added', (h) => h.tags.add('x')],
    ['an element is deleted and added again', (h) => (h.tags.delete('x'), h.tags.add('x'))],
    ['an element is added and deleted', (h) => (h.tags.add('y'), h.tags.delete('y'))],
    ['a counter goes up and down', (h) => (h.count.increment(3), h.count.decrement(3))],
    [
      'a counter of a map goes up and down',
      (h) => (h.stock.get('a').increment(), h.stock.get('a').decrement()),
    ],
    ['a key is made and deleted', (h) => (h.stock.get('b').increment(), h.stock.delete('b'))],
    [
      'a key is made, changed twice and deleted',
      (h) => (h.stock.add('b'), h.stock.get('b').increment(), h.stock.delete('b')),
    ],
    ['a value is set to what it is', (h) => h.title.set({ text: ['t'] })],
    [
      'a value is changed and set to what it was',
      (h) => (h.title.set('other'), h.title.set({ text: ['t'] })),
    ],
  ])('a command that changes nothing makes no body: %s', (_, command) => {
    run(alice, 1, (h) => {
      h.tags.add('x')
      h.title.set({ text: ['t'] })
      h.stock.get('a').increment()
    })
    const { mirror } = alice
    const snapshot = alice.snapshot()
    const draft = alice.begin(originOf(1))
    command(draft.handle as HandleOf<typeof shape>)
    expect(draft.finish()).toBeUndefined()
    expect(alice.mirror).toEqual(mirror)
    expect(alice.snapshot()).toEqual(snapshot)
    expect(run(alice, 1, (h) => h.count.increment()).bytes.length).toBe(11)
  })

  test('a change of a counter beyond the shown numbers is kept, although nothing else is shown', () => {
    const most = (h: HandleOf<typeof shape>): void => h.count.increment(Number.MAX_SAFE_INTEGER)
    const mine = run(alice, 1, most)
    const yours = run(bob, 2, most)
    alice.fold([yours])
    bob.fold([mine, run(alice, 1, (h) => h.count.decrement())])
    expect([alice.mirror, bob.mirror]).toMatchObject([
      { count: Number.MAX_SAFE_INTEGER },
      { count: Number.MAX_SAFE_INTEGER },
    ])
    expect(alice.snapshot()).toEqual(bob.snapshot())
  })

  test('a key that is changed after its removal starts from the initial state, and takes no change of before', () => {
    bob.fold([run(alice, 1, (h) => h.stock.get('a').increment(5))])
    const late = run(bob, 2, (h) => h.stock.get('a').increment(7))
    const bodies = [
      run(alice, 1, (h) => h.stock.delete('a')),
      run(alice, 1, (h) => h.stock.get('a').increment(1)),
    ]
    alice.fold([late])
    bob.fold(bodies)
    expect([alice.mirror, bob.mirror]).toMatchObject([{ stock: { a: 1 } }, { stock: { a: 1 } }])
    expect(bob.snapshot()).toEqual(alice.snapshot())
  })

  const remove = (
    state: EntityState,
    session: number,
    then?: (h: HandleOf<typeof shape>) => void,
  ): Body => {
    const origin = originOf(session)
    const draft = state.begin(origin)
    draft.delete()
    then?.(draft.handle as HandleOf<typeof shape>)
    const body = bodyAt(origin, draft.finish()!)
    state.identify(body)
    return body
  }
  const restarted = async (...states: EntityState[]): Promise<EntityState[]> =>
    Promise.all(states.map((state) => model.open(state.snapshot())))

  test('a deleted entity shows its initial state, does not exist, and starts from its initial state again', async () => {
    expect(alice.exists).toBe(false)
    const initial = alice.mirror
    const made = run(alice, 1, (h) => h.count.increment(5))
    expect(alice.exists).toBe(true)
    const deleted = remove(alice, 1)
    expect([alice.exists, alice.mirror]).toEqual([false, initial])
    bob.fold([made, deleted])
    ;[alice, bob] = (await restarted(alice, bob)) as [EntityState, EntityState]
    expect([bob.exists, bob.mirror]).toEqual([false, initial])
    const again = run(alice, 1, (h) => h.tags.add('x'))
    expect(decodeCanonical(again.bytes)).toEqual([[], [['tags', [1, 'x']]], 1])
    bob.fold([again])
    expect([alice.mirror, bob.mirror]).toMatchObject(Array(2).fill({ count: 0, tags: ['x'] }))
    expect(bob.snapshot()).toEqual(alice.snapshot())
  })

  test('a change that the deletion did not see keeps the whole entity, unless deletions win', async () => {
    bob.fold([run(alice, 1, (h) => h.count.increment(5))])
    const change = run(bob, 2, (h) => h.title.set('kept'))
    const deleted = remove(alice, 1)
    alice.fold([change])
    bob.fold([deleted])
    expect([alice.mirror, bob.mirror]).toMatchObject(Array(2).fill({ count: 5, title: 'kept' }))

    const strict = nativeModel(shape, { wins: 'removal' })
    const [carol, dave] = [await strict.open(undefined), await strict.open(undefined)]
    dave.fold([run(carol, 3, (h) => h.count.increment(5))])
    const lost = run(dave, 4, (h) => h.title.set('lost'))
    dave.fold([remove(carol, 3)])
    carol.fold([lost])
    expect([carol.exists, dave.exists]).toEqual([false, false])
    expect(dave.snapshot()).toEqual(carol.snapshot())
    // Nothing is kept of what it held.
    expect(dave.snapshot().length).toBeLessThan(120)
  })

  test('one command can delete an entity and make it again; what it changed before is gone', () => {
    run(alice, 1, (h) => h.count.increment(5))
    const origin = originOf(1)
    const draft = alice.begin(origin)
    const handle = draft.handle as HandleOf<typeof shape>
    handle.tags.add('before')
    draft.delete()
    expect([draft.exists, handle.count.value, handle.tags.values]).toEqual([false, 0, []])
    handle.count.increment(1)
    expect(draft.exists).toBe(true)
    const body = bodyAt(origin, draft.finish()!)
    expect(decodeCanonical(body.bytes)).toEqual([[], [['count', 1]], 1])
    alice.identify(body)
    expect(alice.mirror).toMatchObject({ count: 1, tags: [] })
  })

  test('deleting what does not exist makes no body, and neither does making and deleting', () => {
    const draft = alice.begin(originOf(1))
    ;(draft.handle as HandleOf<typeof shape>).count.increment(1)
    draft.delete()
    expect(draft.finish()).toBeUndefined()
    expect(alice.exists).toBe(false)
  })

  test('the removal of a key does not bring a deleted entity back', () => {
    bob.fold([run(alice, 1, (h) => h.stock.add('a'))])
    const removed = run(bob, 2, (h) => h.stock.delete('a'))
    bob.fold([remove(alice, 1)])
    alice.fold([removed])
    expect([alice.exists, bob.exists]).toEqual([false, false])
    expect(bob.snapshot()).toEqual(alice.snapshot())
  })

  test.each<[string, Value[], Value]>([
    ['of an entity', [[6, [0]]], ['count', 1]],
    ['inside of an entity', [['stock', [4, 'a', [0]]]], ['count', 1]],
    [
      'of a key',
      [
        ['stock', [4, 'a', [0]]],
        ['count', 0],
      ],
      ['stock', [3, 'a', 1]],
    ],
  ])('a removal before anything was there begins no generation: %s', async (_, ops, op) => {
    // Otherwise the next change would replace what others have written meanwhile.
    const unknown = [fromHex(sessionId(50)), 1, new Uint8Array(8)]
    for (const restarts of [false, true]) {
      let state = await model.open(undefined)
      state.fold([bodyAt(originOf(FORGER), encodeCanonical([unknown, ops]))])
      if (restarts) state = await model.open(state.snapshot())
      const body = run(state, restarts ? 1 : 2, (h) =>
        _ === 'of a key' ? h.stock.get('a').increment() : h.count.increment(),
      )
      expect(decodeCanonical(body.bytes)).toEqual([[], [op]])
    }
  })

  test('a key can be made without a change, and stays until it is removed', () => {
    const body = run(alice, 1, (h) => h.stock.add('a'))
    expect(alice.mirror).toMatchObject({ stock: { a: 0 } })
    const again = alice.begin(originOf(1))
    ;(again.handle as HandleOf<typeof shape>).stock.add('a')
    expect(again.finish()).toBeUndefined()
    bob.fold([body, run(alice, 1, (h) => h.stock.delete('a'))])
    expect(bob.mirror).toMatchObject({ stock: {} })
  })

  test('a map may be declared so that a removal wins against a concurrent change', async () => {
    const strict = nativeModel(
      record({ ...shape.fields, stock: map(counter(), { wins: 'removal' }) }),
    )
    alice = await strict.open(undefined)
    bob = await strict.open(undefined)
    bob.fold([run(alice, 1, (h) => h.stock.get('a').increment(5))])
    const change = run(bob, 2, (h) => h.stock.get('a').increment(2))
    const removal = run(alice, 1, (h) => h.stock.delete('a'))
    alice.fold([change])
    bob.fold([removal])
    expect([alice.mirror, bob.mirror]).toMatchObject([{ stock: {} }, { stock: {} }])
    expect(bob.snapshot()).toEqual(alice.snapshot())
    expect(bob.snapshot().length).toBeLessThan(120)
    alice.fold([run(bob, 2, (h) => h.stock.get('a').increment(1))])
    expect(alice.mirror).toMatchObject({ stock: { a: 1 } })
  })

  test('a device that cannot see all that an entry holds neither closes it nor begins a generation', () => {
    alice.fold([forged([['stock', [3, 'a', [0, 'of another kind', []]]]])])
    expect(alice.skipped).toBeDefined()
    run(alice, 1, (h) => h.stock.get('a').increment(5))
    const removed = run(alice, 1, (h) => h.stock.delete('a'))
    expect(decodeCanonical(removed.bytes)).toEqual([[], [['stock', [4, 'a', []]]]])
    const changed = run(alice, 1, (h) => h.stock.get('a').increment(1))
    expect(decodeCanonical(changed.bytes)).toEqual([[], [['stock', [3, 'a', 1]]]])
  })

  test('a counter of a map that goes up and down makes its key', () => {
    run(alice, 1, (h) => {
      h.stock.get('a').increment()
      h.stock.get('a').decrement()
    })
    expect(alice.mirror).toMatchObject({ stock: { a: 0 } })
  })

  test('a common update costs few bytes', () => {
    expect(run(alice, 1, (h) => h.count.increment()).bytes.length).toBe(11)
    expect(run(alice, 1, (h) => h.tags.add('x')).bytes.length).toBe(13)
  })

  test('a mirror is frozen, and keeps the parts that did not change', () => {
    run(alice, 1, (h) => {
      h.stock.get('pear').increment()
      h.title.set({ text: ['deep'] })
    })
    const before = alice.mirror as { stock: object; title: { text: object } }
    run(alice, 1, (h) => h.tags.add('x'))
    const after = alice.mirror as typeof before
    expect(after).not.toBe(before)
    expect(after.stock).toBe(before.stock)
    expect(after.title).toBe(before.title)
    expect(Object.isFrozen(after.title.text)).toBe(true)
    bob.fold([])
    expect(bob.mirror).toBe(bob.mirror)
  })

  test('a value is copied, and reads the same here and elsewhere', () => {
    const value = { b: 1, a: [-0, { ['__proto__']: 1 }] }
    const body = run(alice, 1, (h) => h.title.set(value))
    value.a.push(3)
    bob.fold([body])
    const [here, there] = [alice.mirror, bob.mirror].map((mirror) => JSON.stringify(mirror))
    expect(here).toBe(there)
    expect(here).toContain('{"a":[0,{"__proto__":1}],"b":1}')
  })

  test('the names of built-in properties are keys like others', () => {
    run(alice, 1, (h) => {
      for (const key of ['__proto__', 'constructor', 'toString']) h.stock.get(key).increment()
      expect(h.stock.keys).toEqual(['__proto__', 'constructor', 'toString'])
      expect(h.stock.has('valueOf')).toBe(false)
    })
    const { stock } = alice.mirror as { stock: object }
    expect(Object.keys(stock)).toEqual(['__proto__', 'constructor', 'toString'])
    expect(Object.getPrototypeOf(stock)).toBe(Object.prototype)
  })

  test('a record passes over fields of a newer app', async () => {
    const newer = await nativeModel(record({ ...shape.fields, extra: counter() })).open(undefined)
    const origin = originOf(1)
    const draft = newer.begin(origin)
    const handle = draft.handle as HandleOf<typeof shape> & {
      extra: HandleOf<typeof shape.fields.count>
    }
    handle.extra.increment()
    handle.count.increment()
    expect(alice.fold([bodyAt(origin, draft.finish()!)])).toEqual([])
    expect(alice.mirror).toMatchObject({ count: 1 })
  })

  test('a draft that changed nothing has no body; one that ended writes no more', () => {
    const draft = alice.begin(originOf(1))
    const handle = draft.handle as HandleOf<typeof shape>
    handle.tags.delete('absent')
    handle.stock.delete('absent')
    handle.count.increment(0)
    expect(draft.finish()).toBeUndefined()
    expect(() => handle.count.increment()).toThrow(
      expect.objectContaining({ code: 'handler-failed' }),
    )
  })

  test('a draft can be taken back after it was finished', () => {
    run(alice, 1, (h) => h.tags.add('x'))
    const before = alice.snapshot()
    const draft = alice.begin(originOf(1))
    const handle = draft.handle as HandleOf<typeof shape>
    handle.tags.delete('x')
    handle.stock.get('pear').increment()
    draft.finish()
    draft.revert()
    expect(alice.snapshot()).toEqual(before)
  })

  const deep = (levels: number): Json => (levels === 0 ? 0 : [deep(levels - 1)])
  const badInputs: [string, string, (h: HandleOf<typeof shape>) => void][] = [
    ['a fraction', 'invalid-input', (h) => h.count.increment(0.5)],
    ['an overflow', 'invalid-input', (h) => h.count.increment(Number.MAX_SAFE_INTEGER)],
    ['a value that is not JSON', 'invalid-input', (h) => h.title.set(new Map() as never)],
    ['a hole', 'invalid-input', (h) => h.title.set(Array(2) as never)],
    ['an increment by a text', 'invalid-input', (h) => h.count.decrement('5' as never)],
    ['an increment by a symbol', 'invalid-input', (h) => h.count.increment(Symbol('') as never)],
    ['a question for no element', 'invalid-input', (h) => h.tags.has(undefined as never)],
    ['the removal of no element', 'invalid-input', (h) => h.tags.delete((() => 1) as never)],
    ['a question for no key', 'invalid-input', (h) => h.stock.has(5 as never)],
    ['the removal of no key', 'invalid-input', (h) => h.stock.delete(5 as never)],
    ['not a number', 'invalid-input', (h) => h.title.set(Number.NaN)],
    ['half a character', 'invalid-input', (h) => h.title.set('\ud800')],
    ['a deep value', 'invalid-input', (h) => h.title.set(deep(limits.valueDepth + 1))],
    ['a large value', 'too-large', (h) => h.title.set('x'.repeat(limits.valueBytes))],
    ['a large element', 'too-large', (h) => h.tags.add('é'.repeat(limits.valueBytes / 2 + 1))],
    ['a large key', 'too-large', (h) => h.stock.get('x'.repeat(limits.valueBytes + 1))],
    ['an element that is no value', 'invalid-input', (h) => h.tags.add(Symbol('') as never)],
    ['an infinite element', 'invalid-input', (h) => h.tags.add(Infinity)],
  ]
  test.each(badInputs)(
    'an invalid write is refused, and the handler can continue: %s, %s',
    (_, code, write) => {
      run(alice, 1, (h) => h.count.increment(1))
      const body = run(alice, 1, (h) => {
        expect(() => write(h)).toThrow(expect.objectContaining({ code }))
        h.count.increment(1)
      })
      expect(alice.mirror).toMatchObject({ count: 2, title: 'untitled' })
      expect(body.bytes.length).toBeLessThan(20)
    },
  )

  test('the largest values that a handler may write are folded elsewhere', () => {
    const body = run(alice, 1, (h) => {
      h.title.set(deep(limits.valueDepth))
      h.tags.add('x'.repeat(limits.valueBytes))
      h.stock.get('é'.repeat(limits.valueBytes / 2)).increment()
      h.title.set('x'.repeat(limits.valueBytes - 5))
    })
    expect(bob.fold([body])).toEqual([])
    expect(bob.snapshot()).toEqual(alice.snapshot())
  })

  const voidOps: [string, Value, Value[]?][] = [
    ['a fraction', [['count', 0.5]]],
    ['a number beyond the safe integers', [['count', 2 ** 53]]],
    ['a generation of 0', [['tags', [1, 'x', 0]]]],
    ['a generation beyond the safe integers', [['stock', [5, 'a', 2 ** 53]]]],
    ['the end of the last generation', [['stock', [4, 'a', null, Number.MAX_SAFE_INTEGER]]]],
    ['an addition with names', [['tags', [1, 'x', []]]]],
    ['a removal without names', [['stock', [4, 'a']]]],
    ['a commit that it does not list', [['title', [0, 'x', [0]]]]],
    ['a commit without its prefix', [['count', 1]], [fromHex(sessionId(5)), 1]],
    ['a shorter prefix', [['count', 1]], [fromHex(sessionId(5)), 1, new Uint8Array(7)]],
    ['a session that it does not list', [['count', 1]], [0, 1, new Uint8Array(8)]],
    ['its own session in it', [['count', 1]], [fromHex(sessionId(FORGER)), 1, new Uint8Array(8)]],
    ['bytes in a value that are no byte string', [['title', [0, { $bytes: 'AA' }, []]]]],
    ['a deep value', [['title', [0, deep(limits.valueDepth + 1), []]]]],
    ['a large value', [['title', [0, 'x'.repeat(limits.valueBytes), []]]]],
    ['a large element', [['tags', [1, 'x'.repeat(limits.valueBytes + 1)]]]],
    ['an unknown kind of op', [['stock', [99, 'a', 1]]]],
    ['the removal of the entity beside another op', [[6, []]]],
    ['no list', 5],
    ['too many ops', Array.from({ length: limits.opsPerSection + 1 }, () => ['count', 1])],
  ]
  test.each(voidOps)('a body that breaks a rule is void as a whole: %s', (_, ops, commits = []) => {
    run(alice, 1, (h) => h.count.increment(1))
    const before = alice.snapshot()
    const all = Array.isArray(ops) ? [['count', 1], ...(ops as Value[])] : ops
    const body = bodyAt(originOf(FORGER), encodeCanonical([commits, all]))
    expect(alice.fold([body])).toEqual([body])
    expect(alice.snapshot()).toEqual(before)
  })

  test('bytes that are no body, or a valid one changed, never throw and never have half an effect', async () => {
    const valid = run(bob, 2, (h) => {
      h.stock.get('a').increment(3)
      h.title.set({ x: [1, 'two'] })
      h.tags.add('t')
      h.stock.delete('a')
      h.tags.delete('t')
    }).bytes
    const mutated = fc
      .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 })
      .map((changes) => {
        const bytes = valid.slice()
        for (const [at, byte] of changes) bytes[at] = byte
        return bytes
      })
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 64 }), mutated), async (bytes) => {
        if (alice.problem) alice = await model.open(undefined)
        const before = alice.snapshot()
        const { mirror } = alice
        const isVoid = alice.fold([bodyAt(originOf(9), bytes)]).length > 0
        if (!isVoid && !alice.problem) return
        expect(alice.snapshot()).toEqual(before)
        expect(alice.mirror).toBe(mirror)
      }),
      { numRuns: 2000 },
    )
  })

  test('bytes that nest without end are void', () => {
    const bytes = new Uint8Array(500_000).fill(0x81)
    bytes[bytes.length - 1] = 0x80
    expect(alice.fold([bodyAt(originOf(1), bytes)]).length).toBe(1)
  })

  test('as many ops on one place as a body may hold are folded in good time', () => {
    const adds = forged(Array.from({ length: limits.opsPerSection }, () => ['tags', [1, 'x']]))
    const refs = Array.from({ length: limits.opsPerSection }, () => 0)
    const deletion = encodeCanonical([named(adds), [['tags', [2, 'x', refs]]]])
    const start = processorTime()
    expect(alice.fold([adds])).toEqual([])
    expect(alice.fold([bodyAt(originOf(2), deletion)])).toEqual([])
    expect(processorTime() - start).toBeLessThan(5_000)
    expect(alice.mirror).toMatchObject({ tags: [] })
  })

  const times = (change: (index: number) => void, count: number = limits.opsPerSection): void => {
    for (let i = 0; i < count; i++) change(i)
  }
  /** Changes that make a state larger each time. */
  const growing: [string, (turn: number) => (h: HandleOf<typeof shape>) => void][] = [
    ['elements of a set', (turn) => (h) => times((i) => h.tags.add(`${turn}-${i}`))],
    ['keys of a map', (turn) => (h) => times((i) => h.stock.get(`${turn}-${i}`).increment())],
    [
      'long elements of a set',
      (turn) => (h) => times((i) => h.tags.add(`${turn}-${i}`.padEnd(60_000)), 14),
    ],
  ]

  test.each(growing)('a command that would make a state too large is refused: %s', (_, grow) => {
    let turn = 0
    const fill = (): void => {
      while (turn < 20) run(alice, 1, grow(++turn))
    }
    expect(fill).toThrow(expect.objectContaining({ code: 'too-large' }))
    expect(turn).toBeLessThan(6)
  })

  test.each(growing)(
    'a state that holds too much is unreadable, and what it held is freed: %s',
    async (_, grow) => {
      let turn = 0
      for (; turn < 20 && bob.problem === undefined; turn++) {
        // Each command is far below what one command may fill.
        const author = await model.open(undefined)
        bob.fold([run(author, turn, grow(turn))])
      }
      expect(bob.problem).toContain(`${limits.entityBytes} bytes`)
      expect(turn).toBeLessThan(12)
      expect(bob.snapshot().length).toBeLessThan(1_000)
      bob.fold([forged([['count', 1]])])
      expect(bob.mirror).toEqual((await model.open(undefined)).mirror)
    },
  )

  test.each<[string, Value]>([
    ['writes of a register', ['title', [0, 'x', []]]],
    ['increments of a counter', ['count', 1]],
    ['additions of one element', ['tags', [1, 'x']]],
    ['changes at one key', ['stock', [3, 'x', 1]]],
  ])('a session cannot fill a state by changing one place again and again: %s', (_, op) => {
    for (let turn = 1; turn <= 10; turn++) {
      bob.fold([forged(Array.from({ length: limits.opsPerSection }, () => op))])
    }
    expect(bob.problem).toBeUndefined()
    expect(bob.snapshot().length).toBeLessThan(1_000)
  })

  test('if concurrent commands have filled a state, later commands can make it smaller, but not larger', async () => {
    for (const session of [1, 2, 3]) {
      const author = await model.open(undefined)
      bob.fold([run(author, session, (h) => times((i) => h.tags.add(`${session}-${i}`)))])
    }
    const before = bob.snapshot()
    expect(() => run(bob, 4, (h) => h.tags.add('one more'))).toThrow(
      expect.objectContaining({ code: 'too-large' }),
    )
    run(bob, 4, (h) => {
      h.tags.delete('1-10')
      h.tags.delete('1-11')
      h.tags.add('more')
    })
    run(bob, 4, (h) => times((i) => h.tags.delete(`1-${i}`)))
    run(bob, 4, (h) => times((i) => h.tags.delete(`2-${i}`)))
    expect(bob.snapshot().length).toBeLessThan(before.length / 2)
    run(bob, 4, (h) => h.tags.add('one more'))
  })

  test('a counter stays within the safe integers, also in a later session', () => {
    run(alice, 1, (h) => h.count.increment(Number.MAX_SAFE_INTEGER))
    run(alice, 2, (h) => {
      expect(() => h.count.increment(1)).toThrow(expect.objectContaining({ code: 'invalid-input' }))
      h.count.decrement(2)
      h.count.increment(1)
    })
    expect(alice.mirror).toMatchObject({ count: Number.MAX_SAFE_INTEGER - 1 })
  })

  test('a counter beyond the safe integers shows the nearest of them', () => {
    for (const session of [1, 2, 3]) {
      const bytes = encodeCanonical([[], [['count', Number.MAX_SAFE_INTEGER]]])
      alice.fold([bodyAt({ ...originOf(session), seq: 1 }, bytes)])
    }
    expect(alice.mirror).toMatchObject({ count: Number.MAX_SAFE_INTEGER })
  })

  test('a damaged snapshot is unreadable', async () => {
    run(alice, 1, (h) => h.tags.add('x'))
    const value = decodeCanonical(alice.snapshot()) as Value[]
    for (const bytes of [new Uint8Array(3), encodeCanonical([...value.slice(0, 3), 'x'])]) {
      await expect(model.open(bytes)).rejects.toMatchObject({ code: 'unreadable' })
    }
  })

  test('a shape without a native kernel is refused', () => {
    const unknown = { kind: 'hologram' } as unknown as Shape
    expect(() => nativeModel(map(unknown))).toThrow(
      expect.objectContaining({ code: 'invalid-declaration' }),
    )
  })
})
