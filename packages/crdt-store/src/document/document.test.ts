import {
  type Body,
  document,
  hash,
  toHex,
  utf8,
  type DocumentHandle,
  type EntityState,
  type Json,
  type Origin,
  type SessionId,
  type StateModel,
} from '@peerplane/core'
import { bodyAt } from '@peerplane/core/testing'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'

import { innerModel } from './inner-model.fixture.test.ts'
import { deviceOf } from './hostile.fixture.test.ts'

interface Note {
  readonly [key: string]: Json
  readonly text: string
  readonly title: string
  readonly items: string[]
  readonly meta: { [key: string]: Json }
}
type Handle = DocumentHandle<{
  text: string
  title: string
  items: Json[]
  meta: { [key: string]: Json }
}>

const shape = document<Note>({ text: '', title: 'a', items: ['x'], meta: { n: 1 } })
let model: StateModel
beforeAll(async () => {
  model = await innerModel(shape)
})

/** One device: its state, and what it wrote. */
class Device {
  readonly session: SessionId
  state!: EntityState
  #seq = 0

  constructor(name: string) {
    this.session = toHex(hash('test-session', utf8(name)).slice(0, 16)) as SessionId
  }

  async open(): Promise<this> {
    this.state = await model.open(undefined)
    return this
  }

  get origin(): Origin {
    return {
      device: deviceOf('any'),
      session: this.session,
      seq: ++this.#seq,
      time: { ms: 0, counter: 0 },
    }
  }

  write(change: (handle: Handle) => void, at?: string): Body[] {
    const origin = this.origin
    const draft = this.state.begin(origin, at)
    change(draft.handle as Handle)
    const bytes = draft.finish()
    return bytes ? [bodyAt(origin, bytes)] : []
  }
}

const device = (name: string): Promise<Device> => new Device(name).open()

test('every replica begins with the same bytes', async () => {
  const state = await model.open(undefined)
  expect(state.mirror).toEqual({ text: '', title: 'a', items: ['x'], meta: { n: 1 } })
  expect(state.version).toBe(
    [
      '056f9396e290cfb3257c13be18b28f2314246e974bb200cf82533427c146b5cb',
      '172e618396facdd9e4dfd83a78349af07e04fe253ba073e29667ed7c6ee9e9ea',
      '88edeb5600ce8f620610583311a6f17b2cf0daf2f396918df91562786311d36d',
      '8c99d53b14b5e3cc5af52b30cddaccb7453754adca79a0950746b3e589bc9975',
    ].join(),
  )
  const reordered = await innerModel(
    document<Note>({ meta: { n: 1 }, items: ['x'], title: 'a', text: '' }),
  )
  expect((await reordered.open(undefined)).snapshot()).toEqual(state.snapshot())
  state.close()
})

test('a handle reads and writes like plain data', async () => {
  const a = await device('a')
  a.write((doc) => {
    doc.splice(['text'], 0, 0, 'héllo 😀')
    doc.title = 'b'
    doc.items.push('y', { deep: [1, 2.5, null, true] })
    doc.items[0] = 'z'
    doc.meta['list'] = [1, 2, 3]
    const list = doc.meta['list'] as number[]
    expect(list.splice(1, 1, 7, 8)).toEqual([2])
    expect(list.map((n) => n * 2)).toEqual([2, 14, 16, 6])
    expect(list.length).toBe(4)
    expect(list.shift()).toBe(1)
    expect(list.pop()).toBe(3)
    list.unshift(5)
    delete doc.meta['n']
    expect('n' in doc.meta).toBe(false)
    expect(Object.keys(doc)).toEqual(['items', 'meta', 'text', 'title'])
    expect(JSON.parse(JSON.stringify(doc.meta))).toEqual({ list: [5, 7, 8] })
    expect(doc.text).toBe('héllo 😀')
  })
  const expected = {
    text: 'héllo 😀',
    title: 'b',
    items: ['z', 'y', { deep: [1, 2.5, null, true] }],
    meta: { list: [5, 7, 8] },
  }
  expect(a.state.mirror).toEqual(expected)
  expect(Object.isFrozen(a.state.mirror)).toBe(true)
  const reopened = await model.open(a.state.snapshot())
  expect(reopened.mirror).toEqual(expected)
  expect(reopened.version).toBe(a.state.version)
})

test.each<readonly [string, (doc: Handle) => unknown]>([
  ['an item beyond the end of a list', (doc) => (doc.items[9] = 'x')],
  ['a member of a list', (doc) => Object.assign(doc.items, { name: 'x' })],
  ['a list that grows by its length', (doc) => (doc.items.length = 9)],
  ['a list of half an item', (doc) => (doc.items.length = 0.5)],
  ['a gap in a list', (doc) => Reflect.deleteProperty(doc.items, 0)],
  ['a splice of a list at no number', (doc) => doc.items.splice(Number.NaN, 1)],
  ['a splice of a list by a text', (doc) => doc.items.splice(0, '1' as never)],
  ['a symbol as key', (doc) => Object.assign(doc.meta, { [Symbol('s')]: 1 })],
  ['half of a surrogate pair as key', (doc) => (doc.meta['\ud800'] = 1)],
  ['its method replaced', (doc) => (doc.splice = () => undefined)],
  ['a defined property', (doc) => Object.defineProperty(doc.meta, 'x', { value: 1 })],
  ['a prototype', (doc) => Object.setPrototypeOf(doc, null) as unknown],
  ['being frozen', (doc) => Object.freeze(doc)],
  ['a path that is not an array', (doc) => doc.splice('text' as never, 0, 0, 'x')],
  ['a path with an object', (doc) => doc.splice([{}] as never, 0, 0, 'x')],
  ['a path with a bigint', (doc) => doc.splice([1n] as never, 0, 0, 'x')],
  ['a path to nowhere', (doc) => doc.splice(['a', 'b'], 0, 0, 'x')],
  ['a position that is not a number', (doc) => doc.splice(['text'], Symbol('s') as never, 0, 'x')],
  ['half a position', (doc) => doc.splice(['text'], 0.5, 0, 'x')],
  ['a negative position', (doc) => doc.splice(['text'], -1, 0, 'x')],
  ['a count that is not a number', (doc) => doc.splice(['text'], 0, Number.NaN, 'x')],
  ['no text', (doc) => doc.splice(['text'], 0, 0, 5 as never)],
])('a handle refuses %s with invalid-input, and changes nothing', async (_, misuse) => {
  const a = await device('a')
  const draft = a.state.begin(a.origin)
  const refused = expect.objectContaining({ code: 'invalid-input' })
  expect(() => misuse(draft.handle as Handle)).toThrow(refused)
  expect(draft.finish()).toBeUndefined()
})

test('a handle refuses a value that is not JSON or is nested too deeply, and any change after the command has ended', async () => {
  const a = await device('a')
  const draft = a.state.begin(a.origin)
  const doc = draft.handle as Handle
  const set = (value: unknown): void => {
    doc.meta['x'] = value as Json
  }
  for (const value of [undefined, new Uint8Array(1), new Map(), 1n, 2 ** 53, Infinity, () => 0]) {
    expect(() => set(value)).toThrow(
      /which is not JSON|is a Uint8Array|cannot hold|no such number|of a class/,
    )
  }
  let deep: Json = 1
  for (let i = 0; i < 40; i++) deep = [deep]
  expect(() => set(deep)).toThrow(/levels/)
  expect(() => set(JSON.parse('{"__proto__": 1}'))).toThrow(/cannot hold/)
  expect(() => doc.splice(['text'], 1, 0, 'x')).toThrow(/no 0 characters at 1/)
  expect(() => doc.splice(['items'], 0, 0, 'x')).toThrow(/no text/)
  expect(draft.finish()).toBeUndefined()
  expect(() => {
    doc.title = 'late'
  }).toThrow(/after it had returned/)
})

describe('drafts', () => {
  test('reverting restores the bytes, before and after the draft is finished', async () => {
    const a = await device('a')
    a.write((doc) => doc.splice(['text'], 0, 0, 'kept'))
    const before = { snapshot: a.state.snapshot(), mirror: a.state.mirror }
    for (const isFinished of [false, true]) {
      const draft = a.state.begin(a.origin)
      const doc = draft.handle as Handle
      doc.splice(['text'], 0, 4, 'lost')
      doc.items.push('lost')
      if (isFinished) draft.finish()
      draft.revert()
      expect(toHex(a.state.snapshot())).toBe(toHex(before.snapshot))
      expect(a.state.mirror).toEqual(before.mirror)
    }
    const b = await device('b')
    const fresh = await device('a')
    const bodies = [
      ...fresh.write((doc) => doc.splice(['text'], 0, 0, 'kept')),
      ...a.write((doc) => doc.splice(['text'], 4, 0, '!')),
    ]
    expect(b.state.fold(bodies)).toEqual([])
    expect((b.state.mirror as unknown as Note).text).toBe('kept!')
  })

  test('reverting restores the bytes of a document with several heads, and of a command at an old version', async () => {
    const [a, b] = [await device('a'), await device('b')]
    const first = a.state.version
    const mine = a.write((doc) => doc.splice(['text'], 0, 0, 'mine'))
    a.state.fold(b.write((doc) => doc.splice(['text'], 0, 0, 'theirs')))
    const before = a.state.snapshot()
    for (const at of [undefined, first]) {
      for (const isFinished of [false, true]) {
        const draft = a.state.begin(a.origin, at)
        ;(draft.handle as Handle).splice(['text'], 0, 0, 'lost')
        if (isFinished) draft.finish()
        draft.revert()
        expect(toHex(a.state.snapshot())).toBe(toHex(before))
      }
    }
    b.state.fold(mine)
    expect(b.state.mirror).toEqual(a.state.mirror)
  })

  test('a command at the version that its caller saw keeps its positions', async () => {
    const [a, b] = [await device('a'), await device('b')]
    const start = a.write((doc) => doc.splice(['text'], 0, 0, 'hello world'))
    b.state.fold(start)
    const seen = a.state.version
    a.state.fold(b.write((doc) => doc.splice(['text'], 0, 0, '>>> ')))
    expect((a.state.mirror as unknown as Note).text).toBe('>>> hello world')
    // Three commands of an editor that has not received the change yet; it sees its own.
    const sent = a.write((doc) => doc.splice(['text'], 5, 0, ','), seen)
    sent.push(...a.write((doc) => doc.splice(['text'], 11, 0, '!'), seen))
    expect((a.state.mirror as unknown as Note).text).toBe('>>> hello, world!')
    expect(b.state.fold(sent)).toEqual([])
    expect(b.state.mirror).toEqual(a.state.mirror)
    expect(() => a.state.begin(a.origin, 'f'.repeat(64))).toThrow(/not held/)
  })
})

test('a command at the version shown does not wait for what has come in since', async () => {
  const [a, b] = [await device('a'), await device('b')]
  const seen = a.state.version
  const theirs = b.write((doc) => doc.splice(['text'], 0, 0, 'theirs'))
  expect(a.state.fold(theirs)).toEqual([])
  const mine = a.write((doc) => {
    expect(doc.text).toBe('')
    doc.splice(['text'], 0, 0, 'mine')
  }, seen)
  expect(b.state.fold(mine)).toEqual([])
  expect(a.state.mirror).toEqual(b.state.mirror)
  expect(a.state.version).toBe(b.state.version)
})

test('what comes in during a command waits for its end', async () => {
  const [a, b] = [await device('a'), await device('b')]
  const theirs = b.write((doc) => doc.splice(['text'], 0, 0, 'theirs'))
  const draft = a.state.begin(a.origin)
  const doc = draft.handle as Handle
  doc.splice(['text'], 0, 0, 'mi')
  expect(a.state.fold(theirs)).toEqual([])
  doc.splice(['text'], 2, 0, 'ne')
  expect(doc.text).toBe('mine')
  const mine = bodyAt({ ...a.origin, seq: 1 }, draft.finish()!)
  expect(b.state.fold([mine])).toEqual([])
  expect(a.state.mirror).toEqual(b.state.mirror)
  expect(a.state.version).toBe(b.state.version)
})

test('concurrent edits of one text are all kept', async () => {
  const [a, b] = [await device('a'), await device('b')]
  b.state.fold(a.write((doc) => doc.splice(['text'], 0, 0, 'one two')))
  const fromA = a.write((doc) => doc.splice(['text'], 0, 3, 'ONE'))
  const fromB = b.write((doc) => doc.splice(['text'], 7, 0, ' three'))
  a.state.fold(fromB)
  b.state.fold(fromA)
  expect((a.state.mirror as unknown as Note).text).toBe('ONE two three')
  expect(b.state.mirror).toEqual(a.state.mirror)
})

test.each([1, 4])(
  'texts that two devices type forwards at one place do not interleave, with %i keystrokes per command',
  async (keystrokes) => {
    const [a, b] = [await device('a'), await device('b')]
    b.state.fold(a.write((doc) => doc.splice(['text'], 0, 0, '[]')))
    const type = (by: Device, text: string): Body[] => {
      const bodies: Body[] = []
      for (let at = 0; at < text.length; at += keystrokes) {
        const keys = Array.from(text.slice(at, at + keystrokes)).entries()
        bodies.push(
          ...by.write((doc) => {
            for (const [i, key] of keys) doc.splice(['text'], 1 + at + i, 0, key)
          }),
        )
      }
      return bodies
    }
    const [fromA, fromB] = [type(a, 'abcdefgh'), type(b, '12345678')]
    a.state.fold(fromB)
    b.state.fold(fromA)
    expect(['[abcdefgh12345678]', '[12345678abcdefgh]']).toContain(
      (a.state.mirror as unknown as Note).text,
    )
    expect(b.state.mirror).toEqual(a.state.mirror)
  },
)

test('an assignment of a whole text keeps concurrent edits of the same text', async () => {
  const [a, b] = [await device('a'), await device('b')]
  b.state.fold(a.write((doc) => (doc.text = 'one two three four')))
  const fromA = a.write((doc) => (doc.text = '1 two three 4'))
  const fromB = [
    ...b.write((doc) => doc.splice(['text'], 7, 0, ' and a half')),
    ...b.write((doc) => (doc.text = `${doc.text}!`)),
  ]
  expect(b.state.fold(fromA)).toEqual([])
  expect(a.state.fold(fromB)).toEqual([])
  expect((a.state.mirror as unknown as Note).text).toBe('1 two and a half three 4!')
  expect(b.state.mirror).toEqual(a.state.mirror)
})

test('an assignment of the text that stands there makes no change', async () => {
  const a = await device('a')
  a.write((doc) => (doc.text = 'one'))
  expect(a.write((doc) => (doc.text = 'one'))).toEqual([])
})

test('the mirror is a new object exactly when the state has changed', async () => {
  const [a, b] = [await device('a'), await device('b')]
  const bodies = b.write((doc) => doc.splice(['text'], 0, 0, 'x'))
  const before = a.state.mirror
  expect(a.state.mirror).toBe(before)
  expect(a.state.fold([{ ...bodies[0]!, bytes: new Uint8Array([1, 2, 3]) }])).toHaveLength(1)
  expect(a.state.mirror).toBe(before)
  const c = await device('c')
  const mirror = c.state.mirror
  c.state.fold(bodies)
  expect(c.state.mirror).not.toBe(mirror)
  const folded = c.state.mirror
  expect(c.state.fold(bodies)).toEqual([])
  expect(c.state.mirror).toBe(folded)
})

const edit = fc.record({
  device: fc.nat(2),
  kind: fc.constantFrom('insert', 'delete', 'push', 'remove', 'set', 'nest', 'exchange'),
  at: fc.nat(30),
  text: fc.string({ minLength: 1, maxLength: 5 }),
})

test('replicas converge, whatever the schedule', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { maxLength: 40 }), fc.nat(), async (edits, salt) => {
      const devices = await Promise.all(['a', 'b', 'c'].map((name) => device(`${name}${salt}`)))
      const logs = devices.map((): Body[] => [])
      const held = devices.map(() => devices.map(() => 0))
      // Each takes what another has written and holds from others: causal order.
      const exchange = (to: number, from: number): void => {
        for (let author = 0; author < devices.length; author++) {
          if (author === to) continue
          const have = held[to]![author]!
          const until = author === from ? logs[from]!.length : held[from]![author]!
          if (until <= have) continue
          held[to]![author] = until
          waiting[to]!.push(...logs[author]!.slice(have, until).map((body) => ({ author, body })))
        }
        const bodies = order.filter((body) => waiting[to]!.some((each) => each.body === body))
        waiting[to] = []
        expect(devices[to]!.state.fold(bodies)).toEqual([])
      }
      const waiting = devices.map((): { author: number; body: Body }[] => [])
      const order: Body[] = []
      for (const { device: index, kind, at, text } of edits) {
        const author = devices[index]!
        if (kind === 'exchange') {
          exchange(index, (index + 1 + (at % 2)) % 3)
          continue
        }
        const bodies = author.write((doc) => {
          const length = doc.text.length
          if (kind === 'insert') doc.splice(['text'], at % (length + 1), 0, text)
          else if (kind === 'delete' && length > 0) doc.splice(['text'], at % length, 1, '')
          else if (kind === 'push') doc.items.push(text)
          else if (kind === 'remove') doc.items.splice(at % (doc.items.length + 1), 1)
          else if (kind === 'set') doc.title = text
          else doc.meta[`k${at % 3}`] = { text, list: [at] }
        })
        logs[index]!.push(...bodies)
        order.push(...bodies)
        if (at % 3 === 0) void author.state.mirror
      }
      for (let round = 0; round < 2; round++) {
        for (let to = 0; to < 3; to++) for (let from = 0; from < 3; from++) exchange(to, from)
      }
      const [first, ...others] = devices.map(({ state }) => state)
      for (const state of others) {
        expect(state.version).toBe(first!.version)
        expect(state.mirror).toEqual(first!.mirror)
      }
      for (const { state } of devices) {
        const reopened = await model.open(state.snapshot())
        expect(reopened.version).toBe(first!.version)
        expect(reopened.mirror).toEqual(first!.mirror)
        reopened.close()
      }
      for (const { state } of devices) state.close()
    }),
    { numRuns: 60 },
  )
})
