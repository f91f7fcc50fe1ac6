import {
  counter,
  encodeCanonical,
  limits,
  list,
  map,
  record,
  register,
  type Body,
  type DeviceId,
  type EntityState,
  type HandleOf,
  type Item,
  type ListHandle,
  type Origin,
  type RegisterHandle,
  type SessionId,
  type Shape,
  type Value,
} from '@peerplane/core'
import { bodyAt, processorTime, rootLineage } from '@peerplane/core/testing'
import { beforeEach, describe, expect, test } from 'vitest'

import { CommitTable, commitsToValue, NamedCommit } from '../commits.ts'
import { kernelOf } from '../kernel-of.ts'
import { OpContext } from '../op-context.ts'
import { nativeModel } from '../native-model.ts'

/** A device, with all that it has written. */
class Writer<S extends Shape> {
  readonly state: EntityState
  readonly sent: Body[] = []
  readonly #name: string
  readonly #folded = new Set<Body>()
  #ms = 0

  constructor(state: EntityState, name: string) {
    this.state = state
    this.#name = name
  }

  /** Runs a command; returns the bytes of its body, which are 0 if it changes nothing. */
  run(change: (handle: HandleOf<S>) => void, ms = ++this.#ms): number {
    const origin = originOf(this.#name, this.sent.length + 1, ms)
    const draft = this.state.begin(origin)
    change(draft.handle as HandleOf<S>)
    const bytes = draft.finish()
    if (!bytes) return 0
    const body = bodyAt(origin, bytes)
    this.state.identify(body)
    this.sent.push(body)
    return bytes.length
  }

  receive({ sent }: Writer<S>): void {
    for (const body of sent) {
      if (this.#folded.has(body)) continue
      if (this.state.fold([body]).length > 0) throw new Error('a body is void')
      this.#folded.add(body)
    }
  }
}

const originOf = (name: string, seq: number, ms = 0): Origin => ({
  device: name.repeat(64) as DeviceId,
  session: name.repeat(32) as SessionId,
  seq,
  time: { ms, counter: 0 },
  lineage: rootLineage,
})

const cards = list(record({ title: register(''), votes: counter() }))
type Cards = HandleOf<typeof cards>
type Card = Item<{ readonly title: string; readonly votes: number }>

const opened = async <S extends Shape>(shape: S, name: string): Promise<Writer<S>> =>
  new Writer<S>(await nativeModel(shape).open(undefined), name)

const itemsOf = ({ state }: Writer<Shape>): readonly Card[] =>
  state.mirror as unknown as readonly Card[]
const titles = (writer: Writer<Shape>): string =>
  itemsOf(writer)
    .map(({ value }) => value.title)
    .join('')
const keyOf = (writer: Writer<Shape>, title: string): string =>
  itemsOf(writer).find(({ value }) => value.title === title)!.key
const type = (state: Cards, text: string): void => {
  for (const title of text) state.insert().value.title.set(title)
}

let a: Writer<typeof cards>
let b: Writer<typeof cards>
const sync = (): void => {
  a.receive(b)
  b.receive(a)
  expect(b.state.mirror).toEqual(a.state.mirror)
  expect(b.state.snapshot()).toEqual(a.state.snapshot())
}

beforeEach(async () => {
  a = await opened(cards, 'a')
  b = await opened(cards, 'b')
  a.run((state) => type(state, 'xyz'))
  sync()
})

describe('a list', () => {
  test('puts elements first, last, before and after others', () => {
    a.run((state) => {
      state.insert('first').value.title.set('1')
      state.insert('last').value.title.set('2')
      state.insert({ before: state.keys[2]! }).value.title.set('3')
      state.insert({ after: state.keys[0]! }).value.title.set('4')
    })
    expect(titles(a)).toBe('14x3yz2')
    a.run((state) => state.move(keyOf(a, 'z'), 'first'))
    a.run((state) => state.move(keyOf(a, 'x'), { after: keyOf(a, '3') }))
    a.run((state) => state.move(keyOf(a, '1'), { before: keyOf(a, 'y') }))
    expect(titles(a)).toBe('z43x1y2')
    a.run((state) => state.delete(keyOf(a, '4')))
    sync()
    expect(titles(b)).toBe('z3x1y2')
  })

  test('an element that two devices move at the same time is at one place', () => {
    a.run((state) => state.move(keyOf(a, 'x'), 'last'), 10)
    b.run((state) => state.move(keyOf(b, 'x'), { after: keyOf(b, 'y') }), 20)
    sync()
    expect(titles(a)).toBe('yxz')
  })

  test('an element that is changed or moved while it is deleted stays whole, where it is', () => {
    a.run((state) => state.get(keyOf(a, 'y')).votes.increment())
    a.run((state) => state.move(keyOf(a, 'z'), 'first'))
    b.run((state) => {
      for (const key of state.keys) state.delete(key)
    })
    expect(itemsOf(b)).toEqual([])
    sync()
    expect(itemsOf(a).map(({ value }) => value)).toEqual([
      { title: 'z', votes: 0 },
      { title: 'y', votes: 1 },
    ])
  })

  test('with wins: removal, an element that is changed while it is deleted goes, and frees its value', async () => {
    const shape = list(register(''), { wins: 'removal' })
    const [one, other] = [await opened(shape, 'a'), await opened(shape, 'b')]
    one.run((state) => state.insert().value.set('x'.repeat(1000)))
    other.receive(one)
    const [key] = (one.state.mirror as unknown as Card[]).map((item) => item.key)
    one.run((state) => state.delete(key!))
    other.run((state) => state.get(key!).set('y'))
    one.receive(other)
    other.receive(one)
    expect(one.state.mirror).toEqual([])
    expect(other.state.snapshot()).toEqual(one.state.snapshot())
    expect(one.state.snapshot().length).toBeLessThan(150)
  })

  test('what two devices type at one place is not mixed, forwards or backwards', () => {
    a.run((state) => {
      for (const title of 'abc') state.insert('first').value.title.set(title)
    })
    b.run((state) => {
      for (const title of 'def') state.insert('first').value.title.set(title)
    })
    sync()
    expect(['cbafedxyz', 'fedcbaxyz']).toContain(titles(a))
    const start = titles(a)
    a.run((state) => type(state, 'gh'))
    b.run((state) => type(state, 'ij'))
    a.run((state) => type(state, 'k'))
    sync()
    expect([`${start}ghkij`, `${start}ijghk`]).toContain(titles(a))
  })

  test('refuses a key that it does not have, and a place that is not one', async () => {
    a.run((state) => state.delete(keyOf(a, 'y')))
    const gone = keyOf(b, 'y')
    a.run((state) => {
      for (const key of [gone, 'nothing', '']) {
        const absent = expect.objectContaining({ rejection: 'absent' }) as Error
        expect(() => state.get(key)).toThrow(absent)
        expect(() => state.move(key, 'first')).toThrow(absent)
        expect(() => state.insert({ after: key })).toThrow(absent)
        expect(() => state.move(state.keys[0]!, { before: key })).toThrow(absent)
      }
      const first = state.get(state.keys[0]!)
      state.delete(state.keys[0]!)
      expect(() => first.votes.increment()).toThrow('absent')
      expect(first.votes.value).toBe(0)
      expect(() => state.insert('middle' as 'last')).toThrow("a place is 'first'")
      expect(() => state.insert({ before: 'x', after: 'y' })).toThrow("a place is 'first'")
      expect(() => state.insert(undefined)).not.toThrow()
    })
    const nested = await opened(map(list(counter())), 'c')
    nested.run((state) => {
      expect(() => state.get('none').insert({ after: gone })).toThrow('absent')
      expect(state.get('none').insert('first').key).toBe(state.get('none').keys[0])
    })
  })

  test('a command that changes nothing makes no commit', () => {
    const [x, y, z] = itemsOf(a).map(({ key }) => key) as [string, string, string]
    const before = a.state.mirror
    const idle: readonly ((state: Cards) => void)[] = [
      (state) => state.move(x, 'first'),
      (state) => state.move(z, 'last'),
      (state) => state.move(y, { after: x }),
      (state) => state.move(y, { before: z }),
      (state) => state.move(y, { after: y }),
      (state) => state.delete('nothing'),
      (state) => state.delete(state.insert().key),
      (state) => {
        const { key, value } = state.insert('first')
        value.title.set('no longer')
        state.delete(key)
      },
      (state) => {
        state.move(x, 'last')
        state.move(x, 'first')
      },
    ]
    for (const change of idle) expect(a.run(change)).toBe(0)
    expect(a.state.mirror).toBe(before)
  })

  test('what another session has moved is moved again to the same place, but not next to itself', () => {
    const [x, , z] = itemsOf(a).map(({ key }) => key) as [string, string, string]
    expect(b.run((state) => state.move(z, { before: z }))).toBe(0)
    expect(b.run((state) => state.move(x, 'first'))).toBeGreaterThan(0)
    expect(b.run((state) => state.move(x, 'first'))).toBe(0)
    sync()
    expect(titles(a)).toBe('xyz')
  })

  test('shows what has not changed as the same objects', () => {
    const [x, y, z] = itemsOf(a)
    a.run((state) => state.get(y!.key).votes.increment())
    a.run((state) => state.move(x!.key, 'last'))
    const now = itemsOf(a)
    expect([now[1], now[2]]).toEqual([z, x])
    expect(now[1]).toBe(z)
    expect(now[2]).toBe(x)
    expect(now[0]).not.toBe(y)
    expect(Object.isFrozen(now) && Object.isFrozen(now[0])).toBe(true)
  })

  test('elements that one command inserts one after another cost a few bytes each', () => {
    const bytes = (count: number): number =>
      a.run((state) => {
        for (let i = 0; i < count; i++) state.insert()
      })
    expect((bytes(1000) - bytes(100)) / 900).toBeLessThan(8)
  })
})

const voids: Readonly<Record<string, Value>> = {
  'a side that is not 0 or 1': [10, 2, 0, 0],
  'half a spot': [10, 1, 0],
  'a parent that the same op makes': [10, 1, -1, 1],
  'a parent that a later op makes': [10, 1, -1, 2],
  'a commit before the first': [10, 1, -3, 0],
  'a commit that it does not list': [10, 1, 1, 0],
  'half a commit': [10, 1, -0.5, 0],
  'an index below 0': [11, 1, 0, -1],
  'an index that is text': [13, [], 0, '0'],
  'names that are not listed': [12, [1], 0, 0],
  'names that are no list': [13, 0, 0, 0],
  'a change that breaks a rule, of an element that never comes': [11, 0.5, -1, 0],
  'a change without an element': [11, 1],
  'a move without an element': [12, []],
}

test.each(Object.entries(voids))('a body is void, whatever the list holds: %s', async (_, op) => {
  const commits = [new Uint8Array(16).fill(9), 1, new Uint8Array(8)]
  for (const earlier of [[[10], [10]], []] as Value[][]) {
    const state = await nativeModel(list(counter())).open(undefined)
    const fold = (seq: number, ops: readonly Value[]): number =>
      state.fold([bodyAt(originOf('c', seq), encodeCanonical([commits, [...ops]]))]).length
    expect(fold(1, earlier)).toBe(0)
    const before = state.snapshot()
    expect(fold(2, [[10], op])).toBe(1)
    expect(state.snapshot()).toEqual(before)
  }
})

test('elements stay, at the end, if what they stand next to no longer counts', async () => {
  const shape = list(register(''))
  const [one, other] = [await opened(shape, 'a'), await opened(shape, 'b')]
  one.run((state) => state.insert().value.set('revoked'))
  other.run((state) => state.insert().value.set('x'))
  other.receive(one)
  other.run((state) => {
    const key = state.keys.find((each) => state.get(each).value === 'revoked')!
    const { key: first } = state.insert({ after: key })
    state.get(first).set('1')
    state.insert({ after: first }).value.set('2')
    state.move(
      state.keys.find((each) => state.get(each).value === 'x')!,
      { before: key },
    )
  })
  const without = await opened(shape, 'c')
  without.receive(other)
  const shown = (): readonly string[] =>
    (without.state.mirror as unknown as Item<string>[]).map(({ value }) => value)
  expect(shown()).toEqual(['x', '1', '2'])
  without.run((state) => {
    const [x, first, second] = state.keys as [string, string, string]
    state.insert({ after: first }).value.set('3')
    state.move(second, { before: x })
    state.delete(first)
  })
  expect(shown()).toEqual(['2', 'x', '3'])
  other.receive(without)
  without.receive(one)
  one.receive(other)
  one.receive(without)
  expect(one.state.mirror).toEqual(without.state.mirror)
  expect(other.state.mirror).toEqual(without.state.mirror)
})

describe('after 200,000 hostile ops', () => {
  const OPS = limits.opsPerSection
  const COMMITS = 20
  /** The id of the position that was made before the op `index` of a commit. */
  const previous = (index: number): readonly number[] =>
    index > 0 ? [-1, index - 1] : [-2, OPS - 1]
  const hostile: Readonly<Record<string, (index: number) => Value>> = {
    'that insert at the beginning': () => [10],
    'that insert in a row': (index) => [10, 1, ...previous(index)],
    'that insert backwards in a row': (index) => [10, 0, ...previous(index)],
    'that insert next to what has not come': (index) => [10, 1, 0, index],
    'that move elements to one place': (index) => (index === 0 ? [10] : [12, [], -1, 0, 1, -1, 0]),
    'that change what has not come': (index) => [11, [0, '', []], 0, index],
    'that insert elements and delete them': (index) =>
      index % 2 === 0 ? [10] : [13, [], -1, index - 1],
  }
  // The ops are applied to the kernel: as bodies, they would make the entity larger than an entity may be.
  test.each(Object.keys(hostile))('%s, an honest insertion is fast and small', (name) => {
    const kernel = kernelOf(list(register('')))
    const cell = kernel.create()
    const stranger = new NamedCommit('e'.repeat(32) as SessionId, 9, 'e'.repeat(16))
    const table = new CommitTable(() => 0, { commits: [stranger] })
    for (let seq = 2; seq < COMMITS + 2; seq++) {
      const from = originOf('c', seq)
      const commit = new NamedCommit(from.session, seq, 'c'.repeat(16))
      const forged = new OpContext(from, table, commit)
      for (let index = 0; index < OPS; index++) {
        forged.index = index
        if (kernel.apply(cell, hostile[name]!(index), forged)) throw new Error('another kind')
      }
    }

    const own = originOf('a', 1)
    const draftTable = new CommitTable(() => 0, { own })
    const commit = new NamedCommit(own.session, 1, '')
    const context = new OpContext(own, draftTable, commit, { isDraft: true })
    const written: Value[] = []
    const start = processorTime()
    const handle = kernel.handle({
      cell: () => cell,
      write: (op) => {
        expect(kernel.apply(cell, op, context)).toBeUndefined()
        context.index = written.push(op)
      },
      draft: { table: draftTable, index: 0, isTight: false, isComplete: true, takeBack: () => {} },
    }) as ListHandle<RegisterHandle<string>>
    const first = handle.insert('first')
    first.value.set('x')
    handle.move(first.key, 'last')
    handle.delete(first.key)
    expect(processorTime() - start).toBeLessThan(50)
    const body = [commitsToValue(draftTable.commits), written]
    expect(encodeCanonical(body).length).toBeLessThan(200)
  })
})
