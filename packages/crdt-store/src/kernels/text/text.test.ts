import {
  counter,
  decodeCanonical,
  encodeCanonical,
  limits,
  map,
  record,
  text,
  type Body,
  type DeviceId,
  type Draft,
  type EntityState,
  type HandleOf,
  type Origin,
  type SessionId,
  type Shape,
  type TextHandle,
  type Value,
} from '@peerplane/core'
import { bodyAt, processorTime, rootLineage } from '@peerplane/core/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { nativeModel } from '../native-model.ts'

const invalid: unknown = expect.objectContaining({ code: 'invalid-input' })

const originOf = (name: string, seq: number): Origin => ({
  device: name.repeat(64) as DeviceId,
  session: name.repeat(32) as SessionId,
  seq,
  time: { ms: 0, counter: 0 },
  lineage: rootLineage,
})

/** A device, with all that it has written. */
class Writer<S extends Shape> {
  readonly state: EntityState
  readonly sent: Body[] = []
  readonly #name: string

  constructor(state: EntityState, name: string) {
    this.state = state
    this.#name = name
  }

  /** Runs a command; returns its ops. */
  run(change: (handle: HandleOf<S>) => void): readonly Value[] {
    const origin = originOf(this.#name, this.sent.length + 1)
    const draft = this.state.begin(origin)
    const bytes = finished(draft, change as (handle: unknown) => void)
    if (!bytes) return []
    const body = bodyAt(origin, bytes)
    this.state.identify(body)
    this.sent.push(body)
    return (decodeCanonical(bytes) as readonly Value[])[1] as readonly Value[]
  }

  receive({ sent }: Writer<S>): void {
    if (this.state.fold(sent).length > 0) throw new Error('a body is void')
  }

  /** What a handler reads. */
  read<T>(how: (handle: HandleOf<S>) => T): T {
    const draft = this.state.begin(originOf('f', 1))
    const result = how(draft.handle as HandleOf<S>)
    draft.revert()
    return result
  }
}

function finished(draft: Draft, change: (handle: unknown) => void): Uint8Array | undefined {
  try {
    change(draft.handle)
    return draft.finish()
  } catch (error) {
    draft.revert()
    throw error
  }
}

const opened = async <S extends Shape>(shape: S, name: string): Promise<Writer<S>> =>
  new Writer<S>(await nativeModel(shape).open(undefined), name)

const pair = async (): Promise<readonly Writer<ReturnType<typeof text>>[]> => {
  const [a, b] = [await opened(text(), 'a'), await opened(text(), 'b')]
  a.run((state) => state.set('begin end'))
  b.receive(a)
  return [a, b]
}

test('a text is set, spliced, inserted into and deleted from', async () => {
  const a = await opened(text(), 'a')
  expect(a.state.mirror).toBe('')
  a.run((state) => {
    state.set('one two')
    state.insert(3, ',')
    state.delete(0, 1)
    state.splice(3, 4, ' 2')
    expect([state.value, state.toString(), state.length]).toEqual(['ne, 2', 'ne, 2', 5])
  })
  expect(a.state.mirror).toBe('ne, 2')
})

test('what does not fit the text is refused, and the command goes on', async () => {
  const a = await opened(text(), 'a')
  a.run((state) => {
    state.set('a👍b')
    for (const wrong of [
      () => state.splice(5, 0, 'x'),
      () => state.splice(1, 4, ''),
      () => state.insert(-1, 'x'),
      () => state.delete(0.5, 1),
      () => state.splice(0, Number.NaN, ''),
      () => state.insert(0, 7 as never),
      () => state.set(null as never),
      () => state.set('\ud800'),
      () => state.insert(0, '\udc00'),
      () => state.delete(1, 1),
      () => state.insert(2, 'x'),
      () => state.positionAt(5),
      () => state.positionAt(0, 'both' as never),
      () => state.indexOf('>nowhere'),
    ]) {
      expect(wrong).toThrow(invalid)
    }
    // One half gives way to another one.
    state.splice(2, 1, '\udc4e')
  })
  expect(a.state.mirror).toBe('a👎b')
})

test('an assignment keeps what somebody else inserts at the same time', async () => {
  const [a, b] = await pair()
  a!.run((state) => state.set('begin the end'))
  b!.run((state) => state.splice(0, 5, 'start'))
  a!.receive(b!)
  b!.receive(a!)
  expect([a!.state.mirror, b!.state.mirror]).toEqual(['start the end', 'start the end'])
})

test('what changes nothing in the end is no commit', async () => {
  const [a] = await pair()
  expect(a!.run((state) => state.set('begin end'))).toEqual([])
  expect(a!.run((state) => state.splice(0, 0, ''))).toEqual([])
  const typo = (state: TextHandle): void => {
    state.insert(5, 'x')
    state.delete(5, 1)
  }
  expect(a!.run(typo)).toEqual([])
})

test('keystrokes in a row are one op, also between other ops', async () => {
  const shape = record({ body: text(), count: counter() })
  const a = await opened(shape, 'a')
  const ops = a.run(({ body, count }) => {
    for (const letter of 'typed') body.insert(body.length, letter)
    count.increment()
    for (const letter of ' more') body.insert(body.length, letter)
    for (let i = 0; i < 3; i++) body.delete(body.length - 1, 1)
    body.insert(0, '>')
  })
  expect(ops).toEqual([
    ['body', [30, 'typed']],
    ['count', 1],
    ['body', [30, ' more', 1, -1, 4]],
    ['body', [31, -1, 7, -1, 9]],
    ['body', [30, '>', 0, -1, 0]],
  ])
  expect(a.state.mirror).toEqual({ body: '>typed m', count: 1 })
})

test('a cut of what many commits have typed is one range', async () => {
  const a = await opened(text(), 'a')
  for (let i = 0; i < 50; i++) a.run((state) => state.insert(state.length, `${i} `))
  a.run((state) => state.delete(20, 10))
  expect(a.run((state) => state.set(''))).toEqual([[31, -52, 0, -3, 2]])
})

describe('two devices that type at the same place', () => {
  test.each(['forwards', 'backwards'])('do not mix what they type %s', async (direction) => {
    const [a, b] = await pair()
    const type = (writer: typeof a, word: string): void => {
      for (const [i, letter] of word.split('').entries()) {
        writer!.run((state) => state.insert(direction === 'forwards' ? 6 + i : 6, letter))
      }
    }
    type(a, 'abc')
    type(b, 'xyz')
    a!.receive(b!)
    b!.receive(a!)
    expect(a!.state.mirror).toBe(direction === 'forwards' ? 'begin abcxyzend' : 'begin cbazyxend')
    expect(b!.state.mirror).toBe(a!.state.mirror)
    expect(b!.state.snapshot()).toEqual(a!.state.snapshot())
  })
})

test('a position stays next to its character, on every device', async () => {
  const letters = Array.from('ab👍cd')
  const steps = fc.array(
    fc.record({ by: fc.nat(1), at: fc.nat(30), isDeletion: fc.boolean(), isSync: fc.boolean() }),
    { maxLength: 10 },
  )
  await fc.assert(
    fc.asyncProperty(fc.nat(4), fc.boolean(), steps, async (place, isNext, all) => {
      const writers = [await opened(text(), 'a'), await opened(text(), 'b')]
      let position = ''
      writers[0]!.run((state) => {
        state.set(letters.join(''))
        const index = letters.slice(0, isNext ? place : place + 1).join('').length
        position = state.positionAt(index, isNext ? 'next' : 'previous')
      })
      const sync = (): void => {
        for (const [i, each] of writers.entries()) each.receive(writers[1 - i]!)
      }
      sync()
      for (const { by, at, isDeletion, isSync } of all) {
        writers[by]!.run((state) => {
          const characters = Array.from(state.value)
          const to = at % (characters.length + 1)
          const index = characters.slice(0, to).join('').length
          if (isDeletion) state.delete(index, (characters[to] ?? '').length)
          else state.insert(index, 'XY')
        })
        if (isSync) sync()
      }
      sync()
      const [first, second] = writers.map((each) => each.read((state) => state.indexOf(position)))
      expect(first).toBe(second)
      const letter = letters[place]!
      const found = (writers[0]!.state.mirror as string).indexOf(letter)
      const expected = isNext ? found : found + letter.length
      expect(first).toBe(found >= 0 ? expected : second)
    }),
    { numRuns: 100 },
  )
})

test('the ends of a text are positions, and a splice takes a position', async () => {
  const a = await opened(text(), 'a')
  a.run((state) => {
    const [start, end] = [state.positionAt(0, 'previous'), state.positionAt(0)]
    state.insert(end, 'b')
    state.insert(end, 'c')
    state.insert(start, 'a')
    state.delete(state.positionAt(1), 1)
  })
  expect(a.state.mirror).toBe('ac')
})

test('a text beside one that does not come is shown last, and can be edited', async () => {
  const a = await opened(text(), 'a')
  a.run((state) => state.set('here'))
  const lost: Value = [
    [new Uint8Array(16).fill(0xcc), 1, new Uint8Array(8)],
    [[30, 'lost', 1, 0, 3]],
  ]
  expect(a.state.fold([bodyAt(originOf('b', 1), encodeCanonical(lost))])).toEqual([])
  expect(a.state.mirror).toBe('herelost')
  a.run((state) => {
    expect(state.indexOf(state.positionAt(6))).toBe(6)
    state.delete(5, 2)
    state.insert(5, '!')
  })
  const again = await nativeModel(text()).open(a.state.snapshot())
  expect([a.state.mirror, again.mirror]).toEqual(['here!lt', 'here!lt'])
  expect(again.snapshot()).toEqual(a.state.snapshot())
})

test('an insertion brings back the removed entry around it, and a deletion does not', async () => {
  const shape = map(record({ note: text() }))
  for (const [change, shown] of [
    [(note: TextHandle) => note.insert(0, 'x'), { a: { note: 'xabc' } }],
    [(note: TextHandle) => note.delete(0, 1), {}],
  ] as const) {
    const [a, b] = [await opened(shape, 'a'), await opened(shape, 'b')]
    a.run((state) => state.get('a').note.set('abc'))
    b.receive(a)
    b.run((state) => state.delete('a'))
    a.run((state) => change(state.get('a').note))
    a.receive(b)
    b.receive(a)
    expect([a.state.mirror, b.state.mirror]).toEqual([shown, shown])
  }
})

test('5 MB are pasted and cut, and a text that is too long is refused', async () => {
  const a = await opened(text(), 'a')
  const megabyte = 'A long line. '.repeat(80_000).slice(0, 1_000_000)
  for (let i = 0; i < 5; i++) a.run((state) => state.insert(0, megabyte))
  const b = await opened(text(), 'b')
  b.receive(a)
  b.run((state) => state.insert(2_000_000, 'kept'))
  expect(a.run((state) => state.set(''))).toHaveLength(1)
  a.receive(b)
  expect(a.state.mirror).toBe('kept')
  const more = (): void => {
    for (let i = 0; i < 11; i++) a.run((state) => state.insert(0, megabyte))
  }
  expect(more).toThrow(expect.objectContaining({ code: 'too-large' }))
  expect((a.state.mirror as string).length).toBe(10_000_004)
})

/** 200,000 ops in bodies of as many as one may have. `b` is the hostile session, and its commit before is -2. */
const floods: Readonly<Record<string, (index: number, body: number) => Value>> = {
  'characters before each other': (index) =>
    index === 0 ? [30, 'x'] : [30, 'x', 0, -1, index - 1],
  'characters beside one': (_, body) => [30, 'x', 1, -1 - body, 0],
  'characters within a run': (index, body) =>
    body + index === 0
      ? [30, 'x'.repeat(300_000)]
      : [30, 'y', 0, -1 - body, 1 + index + 10_000 * body],
  'deletions of single characters': (index, body) =>
    body + index === 0
      ? [30, 'x'.repeat(500_000)]
      : [31, ...[0, 0].flatMap(() => [-1 - body, 2 * (index + 10_000 * body)])],
  'deletions of everything': (index) =>
    index % 2 === 0 ? [30, 'x'] : [31, -1, 0, -1, (index - 1) / 2],
  'characters beside others that do not come': (index) => [30, 'x', 1, 0, index],
  'deletions of what does not come': (index) => [31, 0, 0, 0, index],
}

describe('200,000 ops of another device', () => {
  test.each(Object.entries(floods))('do not delay a write: %s', async (_, opOf) => {
    const shape = text()
    const a = await opened(shape, 'a')
    a.run((state) => state.set('honest text'))
    const perBody = limits.opsPerSection
    const stranger: Value[] = [new Uint8Array(16).fill(0xcc), 1, new Uint8Array(8)]
    for (let n = 0; n * perBody < 200_000; n++) {
      const ops = Array.from({ length: perBody }, (_each, index) => opOf(index, n))
      const body = bodyAt(originOf('b', n + 1), encodeCanonical([stranger, ops]))
      expect(a.state.fold([body])).toEqual([])
    }
    expect(a.state.problem).toBeUndefined()
    void a.state.mirror
    const before = processorTime()
    a.run((state) => {
      const at = state.value.indexOf('honest')
      state.splice(at, 6, 'HONEST')
    })
    expect(processorTime() - before).toBeLessThan(50)
    expect(a.sent.at(-1)!.bytes.length).toBeLessThan(4096)
    expect(a.state.mirror).toContain('HONEST text')
    const again = await nativeModel(shape).open(a.state.snapshot())
    expect(again.mirror === a.state.mirror).toBe(true)
  })
})
