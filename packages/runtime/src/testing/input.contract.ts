import { entity, limits, record, register, Rejected, set, type Json } from '@peerplane/core'
import { describe, expect, it } from 'vitest'

import type { Plane } from '../plane/plane.ts'
import type { OpenPlane } from './fixture.ts'

/** What is passed in is taken at the call, the same everywhere; what is handed out cannot be changed. */
export function inputContract(open: OpenPlane): void {
  describe('what a command takes, a reply and a register as well', () => {
    it.each(taken())('%s', async (_, given, expected) => {
      const plane = await open([Box])
      const box = plane.get(Box, 'a')
      expect((await box.put(given as Json)).reply).toStrictEqual(expected)
      expect((await box.state()).content).toStrictEqual(expected)
      kept.value = given
      expect((await box.giveKept()).reply).toStrictEqual(expected)
      await box.putKept()
      expect((await box.state()).content).toStrictEqual(expected)
      await plane.close()
    })
  })

  describe('what a command refuses, a reply and a register as well', () => {
    it.each(refused())('%s', async (_, given, place) => {
      const plane = await open([Box])
      const box = plane.get(Box, 'a')
      const invalid = { code: 'invalid-input', message: expect.stringContaining(`input${place}`) }
      await expect(box.put(given as Json)).rejects.toMatchObject(invalid)
      const grouped = plane.atomic((on) => on(box).put(given as Json))
      await expect(grouped).rejects.toMatchObject(invalid)
      kept.value = given
      const reply = { code: 'handler-failed', message: expect.stringContaining(`handler${place}`) }
      await expect(box.giveKept()).rejects.toMatchObject(reply)
      const value = { code: 'invalid-input', message: expect.stringContaining(`value${place}`) }
      await expect(box.putKept()).rejects.toMatchObject(value)
      expect(await plane.list(Box)).toEqual([])
      await plane.close()
    })

    it('more than a command may hold', async () => {
      const plane = await open([Box])
      const box = plane.get(Box, 'a')
      const tooLarge = { code: 'too-large' }
      const text = 'x'.repeat(limits.inputSize)
      let shared: Json = ['many']
      // Small in memory, and more than any memory holds once it is copied.
      for (let i = 0; i < 40; i++) shared = [shared, shared]
      for (const given of [text, shared, { [text]: 1 }]) {
        await expect(box.put(given)).rejects.toMatchObject(tooLarge)
      }
      expect(await plane.list(Box)).toEqual([])
      await plane.close()
    })
  })

  it('an input is taken at the call: what its owner or its handler does to it later changes nothing', async () => {
    const plane = await open([Box])
    const box = plane.get(Box, 'a')
    const given = { list: [3, 1, 2], deep: { text: 'before' } }
    const [first, second, third] = [
      box.sort(given),
      plane.atomic((on) => on(box).put(given)),
      box.put(given),
    ]
    given.list.push(4)
    given.deep.text = 'after'
    await Promise.all([first, second])
    expect((await first).reply).toEqual([1, 2, 3])
    expect((await third).reply).toEqual({ list: [3, 1, 2], deep: { text: 'before' } })
    expect(given).toEqual({ list: [3, 1, 2, 4], deep: { text: 'after' } })
    expect((await box.state()).content).toEqual({ list: [3, 1, 2], deep: { text: 'before' } })
    await plane.close()
  })

  it('what a plane hands out cannot be changed by who gets it', async () => {
    const plane = await open([Box])
    const box = plane.get(Box, 'a')
    await box.sort({ list: [2, 1], deep: { text: 'kept' } })
    const handedOut = await everythingOf(plane)
    for (const [name, value] of Object.entries(handedOut)) {
      expect({ name, spoilt: spoilAll(value) }).toEqual({ name, spoilt: 0 })
    }
    expect(await everythingOf(plane)).toEqual(handedOut)
    await box.sort({ list: [2, 1, 0], deep: { text: 'kept' } })
    const { content } = await box.state()
    expect(content).toEqual({ list: [0, 1, 2], deep: { text: 'kept' } })
    const rows = await firstOf<unknown>((listener) => plane.subscribe(Box, listener))
    expect(rows).toEqual([{ id: 'a', state: { content, words: ['word'] } }])
    await plane.close()
  })

  it('two callers of one operation cannot change what the other gets', async () => {
    const plane = await open([Box])
    const box = plane.get(Box, 'a')
    const once = { operationId: 'once' }
    const [one, two] = await Promise.all([box.put({ a: [1] }, once), box.put({ a: [1] }, once)])
    expect(spoilAll(one.reply)).toBe(0)
    expect(two.reply).toEqual({ a: [1] })
    await plane.close()
  })
}

/** Tries to change every object below `value`; how many could be. */
function spoilAll(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const below = Object.values(value).reduce((sum: number, part) => sum + spoilAll(part), 0)
  const isSpoilt = Reflect.set(value, 'spoilt', true) || Reflect.set(value, 'length', 0)
  return below + (isSpoilt ? 1 : 0)
}

const firstOf = <T>(subscribe: (listener: (value: T) => void) => () => void): Promise<T> =>
  new Promise((resolve) => {
    const stop = subscribe((value) => {
      resolve(value)
      queueMicrotask(() => stop())
    })
  })

async function everythingOf(plane: Plane): Promise<Record<string, unknown>> {
  const box = plane.get(Box, 'a')
  return {
    state: await box.state(),
    'state of a subscription': await firstOf((listener) => box.subscribe(listener)),
    list: await plane.list(Box),
    'rows of a subscription': await firstOf((listener) => plane.subscribe(Box, listener)),
    reply: (await box.read()).reply,
    'reply of an atomic': (await plane.atomic((on) => on(box).read())).replies,
    status: plane.status(),
    'status of a subscription': await firstOf((listener) => plane.onStatus(listener)),
  }
}

const kept: { value: unknown } = { value: undefined }

const Box = entity('box', {
  state: record({ content: register<Json>(null), words: set() }),
  commands: {
    put: (box, content: Json) => {
      box.content.set(content)
      return content
    },
    sort: (box, content: { list: number[]; deep: { text: string } }) => {
      content.list.sort((a, b) => a - b)
      box.content.set(content)
      box.words.add('word')
      return content.list
    },
    read: (box) => box.content.value,
    giveKept: () => kept.value,
    putKept: (box) => box.content.set(kept.value as Json),
    refuse: () => {
      throw new Rejected('no', 'not today')
    },
  },
})

/** A name, what is given, and what arrives. */
function taken(): [string, unknown, Json][] {
  const data = { list: [1, { text: 'é👍' }], none: null, yes: true }
  const bare = Object.assign(Object.create(null) as object, data)
  return [
    ['plain data', data, data],
    ['numbers at the edges', [1e300, 5e-324, -1.5, 2 ** 53], [1e300, 5e-324, -1.5, 2 ** 53]],
    ['minus zero, as zero', { a: [-0] }, { a: [0] }],
    ['nothing much', ['', [], {}], ['', [], {}]],
    ['a proxy over plain data', reactive(data), data],
    ['an object without a prototype', bare, data],
    ['a frozen object', Object.freeze({ ...data }), data],
    ['a member that is undefined, left out', { a: 1, b: undefined }, { a: 1 }],
    ['members with symbols as keys, left out', { a: 1, [Symbol('s')]: 2 }, { a: 1 }],
    ['members that are not enumerable, left out', hidden(), { a: 1 }],
    ['a getter, by what it gives', getter(() => 2), { a: 2 }],
    ['one object at two places', twice({ a: 1 }), [{ a: 1 }, { a: 1 }]],
    ['a key that prototypes have', odd(), odd()],
    [
      'bytes that look like others',
      ['\ufeffa', 'a\u0000', 'a\u0301'],
      ['\ufeffa', 'a\u0000', 'a\u0301'],
    ],
  ]
}

const odd = (): Json => JSON.parse('{"__proto__":{"a":1},"toString":2}') as Json

/** A name, what is given, and the place that the message names. */
function refused(): [string, unknown, string][] {
  const cyclic: unknown[] = []
  cyclic.push({ again: cyclic })
  let deep: Json = 0
  for (let i = 0; i <= limits.inputDepth; i++) deep = [deep]
  const own = Object.assign(() => 1, { a: 1 })
  const { proxy: revoked, revoke } = Proxy.revocable({ a: 1 }, {})
  revoke()
  return [
    ['a class instance', { at: [new (class Point {})()] }, '.at[0] is an object of a class'],
    ['a date', { at: new globalThis.Date(0) }, '.at is an object of a class'],
    ['a map', new Map([['a', 1]]), ' is an object of a class'],
    ['bytes', { a: new Uint8Array(2) }, '.a is a Uint8Array'],
    ['a boxed number', Object(1), ' is an object of a class'],
    ['an error', new RangeError('a'), ' is an object of a class'],
    ['a proxy over a class instance', reactive(new Map()), ' is an object of a class'],
    ['a function', { a: own }, '.a is a function'],
    ['what would convert itself', { a: { toJSON: () => 1 } }, '.a.toJSON is a function'],
    ['a symbol', [Symbol('a')], '[0] is a symbol'],
    ['a bigint', { a: 1n }, '.a is 1'],
    ['a number that is not one', { 'a b': Number.NaN }, '["a b"] is NaN'],
    ['an endless number', [[-Infinity]], '[0][0] is -Infinity'],
    ['undefined in a list', [1, undefined], '[1] is undefined'],
    ['a hole in a list', Array(2), '[0] is undefined'],
    ['a list that claims to be long', Array(2 ** 32 - 1), '[0] is undefined'],
    ['a cycle', cyclic, '[0].again'],
    ['nesting beyond the limit', deep, '[0][0]'],
    ['half of a surrogate pair', { a: 'a\ud800' }, '.a holds half of a surrogate pair'],
    ['half of a surrogate pair in a key', { '\udc00': 1 }, '["\\udc00"] holds half'],
    ['a getter that throws', getter(() => missing()), '.a cannot be read'],
    ['a proxy that throws', [new Proxy({}, { ownKeys: () => missing() })], '[0] cannot be read'],
    ['a revoked proxy', { a: revoked }, '.a cannot be read'],
  ]
}

const missing = (): never => {
  throw new RangeError('of the application')
}

const twice = (value: Json): Json => [value, value]

const hidden = (): object => Object.defineProperty({ a: 1 }, 'b', { value: 2 })

const getter = (get: () => number): object =>
  Object.defineProperty({}, 'a', { get, enumerable: true })

/** What frameworks with reactive state pass around. */
function reactive<T extends object>(value: T): T {
  return new Proxy(value, {
    get: (target, key, receiver) => {
      const part: unknown = Reflect.get(target, key, receiver)
      return typeof part === 'object' && part !== null ? reactive(part) : part
    },
  })
}
