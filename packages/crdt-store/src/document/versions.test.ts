import { isDeepStrictEqual } from 'node:util'

import {
  document,
  encodeCanonical,
  type Body,
  type DocumentHandle,
  type Json,
  type StateModel,
  type Value,
} from '@peerplane/core'
import { bodyAt } from '@peerplane/core/testing'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'

import { kindOf, type Tree } from './defaults.ts'
import { originOf } from './hostile.fixture.test.ts'
import { innerModel } from './inner-model.fixture.test.ts'

type Handle = DocumentHandle<{ [key: string]: Json }>

/** Initial states that versions of an app may declare, one after the other or side by side. */
const trees: Readonly<Record<string, Tree>> = {
  'a text': { text: '' },
  'one more text': { text: '', title: '' },
  'another default text': { text: 'draft' },
  'an empty list': { text: '', items: [] },
  'a list': { text: '', items: ['x', { n: 1 }] },
  'an empty map': { text: '', meta: {} },
  'a map': { text: '', meta: { n: 1, deep: { note: '' } } },
  'a larger map': { text: '', meta: { n: 2, m: true, deep: { note: 'old', list: [] } } },
  'a list for the text': { text: [] },
  'a map for the text': { text: {} },
  'a map with a text for the text': { text: { text: '' } },
  'a number for the text': { text: 0 },
  'nothing for the text': { text: null },
  nothing: {},
}
const related = Object.keys(trees).filter((name) => kindOf(trees[name]!['text'] ?? null) === 'text')

const models = new Map<string, StateModel>()
beforeAll(async () => {
  for (const [name, tree] of Object.entries(trees)) {
    models.set(name, await innerModel(document(tree)))
  }
})

/** A device with one version of the app. */
class Device {
  readonly name: string
  readonly tree: Tree
  readonly sent: Body[] = []
  readonly state

  private constructor(
    name: string,
    version: string,
    state: Awaited<ReturnType<StateModel['open']>>,
  ) {
    this.name = name
    this.tree = trees[version]!
    this.state = state
  }

  static async open(name: string, version: string): Promise<Device> {
    return new Device(name, version, await models.get(version)!.open(undefined))
  }

  /** Types `word` at every place that the app declares. */
  type(word: string): Body {
    const origin = originOf(this.name, this.sent.length + 1)
    const draft = this.state.begin(origin)
    typeAll(draft.handle as Handle, this.tree, [], word)
    const body = bodyAt(origin, draft.finish()!)
    this.sent.push(body)
    return body
  }

  get shown(): Json {
    return this.state.mirror
  }

  /** Why what others have typed is not shown. Looking at the state finds it. */
  get skipped(): string | undefined {
    return this.shown === undefined ? undefined : this.state.skipped
  }
}

function typeAll(doc: Handle, tree: Tree, path: readonly string[], word: string): void {
  let place = doc as { [key: string]: Json }
  for (const step of path) place = place[step] as { [key: string]: Json }
  for (const [key, value] of Object.entries(tree)) {
    const kind = kindOf(value)
    if (kind === 'text') doc.splice([...path, key], 0, 0, word)
    else if (kind === 'list') (place[key] as Json[]).push(word)
    else if (kind === 'map') typeAll(doc, value as Tree, [...path, key], word)
    else if (key === 'text') place[key] = kind === 'number' ? numberOf(word) : word
  }
  const free = { text: 'text', map: `key of ${word}` }
  if (path.length > 0) place[free.map] = word
  else if (!('text' in tree)) place[free.text] = word
}

/** What stands for a word where a number is declared. */
const numberOf = (word: string): number => 1000 + word.length
const includes = (state: Json, word: string): boolean =>
  [word, String(numberOf(word))].some((each) => JSON.stringify(state).includes(each))
/** Whether a state has every place of an initial state. */
const has = (state: Json, tree: Tree): boolean =>
  Object.entries(tree).every(([key, value]) => {
    const found = (state as Tree)[key]
    return found !== undefined && (kindOf(value) !== 'map' || has(found, value as Tree))
  })
const isReason = (skipped: string | undefined): boolean =>
  /^"text" was written as a \w+ and is declared as a \w+$/.test(skipped ?? '')
const isReplaced = (tree: Tree): boolean =>
  !['text', 'list', 'map'].includes(kindOf(tree['text'] ?? null))

const pairs = Object.keys(trees).flatMap((from) =>
  Object.keys(trees).map((to) => [from, to] as const),
)

describe('documents of two versions', () => {
  test.each(pairs)(
    'a device with another version of the declaration shows typed text, or marks the document as incomplete; either way, the document can be written: %s, then %s',
    async (from, to) => {
      const [old, young] = [await Device.open('old', from), await Device.open('young', to)]
      old.type('typed')
      expect(young.state.fold(old.sent)).toEqual([])
      const isThere = (device: Device, word: string): boolean =>
        includes(device.shown, word) && has(device.shown, device.tree)
      expect(isThere(young, 'typed') || isReason(young.skipped)).toBe(true)
      // A version that holds all of another one shows all of it.
      const areRelated = related.includes(from) && related.includes(to)
      expect(isThere(young, 'typed') || !areRelated).toBe(true)
      young.type('answer')
      expect(isThere(young, 'answer')).toBe(true)
      expect(old.state.fold(young.sent)).toEqual([])
      expect(isThere(old, 'typed') || isReplaced(old.tree) || isReplaced(young.tree)).toBe(true)
      // Where an app declares nothing, the later of two values is shown.
      const isDeclared = (old.tree['text'] ?? null) !== null
      expect(includes(old.shown, 'answer') || isReason(old.skipped) || !isDeclared).toBe(true)
      expect(!areRelated || isDeepStrictEqual(old.shown, young.shown)).toBe(true)
      await expectRestored(from, old)
      await expectRestored(to, young)
    },
  )

  test.each(pairs)(
    'devices with two versions of a declaration edit the same document, and each device shows the fields of its own version: %s and %s',
    async (from, to) => {
      const [one, other] = [await Device.open('one', from), await Device.open('other', to)]
      one.type('here')
      other.type('there')
      expect(one.state.fold(other.sent)).toEqual([])
      expect(other.state.fold(one.sent)).toEqual([])
      const shows = (device: Device, word: string): boolean => includes(device.shown, word)
      // Of two values at one place the later is shown.
      const isOneReplaced = isReplaced(one.tree) || isReplaced(other.tree)
      expect(shows(one, 'here') || isOneReplaced).toBe(true)
      expect(shows(other, 'there') || isOneReplaced).toBe(true)
      for (const device of [one, other]) {
        expect(has(device.shown, device.tree)).toBe(true)
        const isAll = shows(device, 'here') && shows(device, 'there')
        expect(isAll || isOneReplaced || isReason(device.skipped)).toBe(true)
      }
      const isIncomplete = isReason(one.skipped) || isReason(other.skipped)
      expect(isIncomplete || isDeepStrictEqual(one.shown, other.shown)).toBe(true)
      // A third device with either declaration shows the same, in whichever order the changes come.
      for (const [version, device] of [
        [from, one],
        [to, other],
      ] as const) {
        for (const bodies of [
          [...one.sent, ...other.sent],
          [...other.sent, ...one.sent],
        ]) {
          const third = await Device.open('third', version)
          expect(third.state.fold(bodies)).toEqual([])
          expect(third.shown).toEqual(device.shown)
          expect(third.skipped).toBe(device.skipped)
        }
        await expectRestored(version, device)
      }
    },
  )

  async function expectRestored(version: string, { state }: Device): Promise<void> {
    const { mirror, skipped } = state
    const again = await models.get(version)!.open(state.snapshot())
    expect(again.mirror).toEqual(mirror)
    expect(again.skipped).toBe(skipped)
    again.close()
  }

  test.each<[string, Value]>([
    ['a native state', [[], [['title', 1]]]],
    ['a native state in another generation', [[], [['title', 1]], 1]],
    ['a deletion', [[], [[6, null]], 1]],
    ['events', [1, ['added', 1]]],
    ['a value', [2, 1]],
    ['a session of a single writer', [3, [], 1, 0, 'x', []]],
  ])('a body of %s has no effect, and bans nobody', async (_, body) => {
    const device = await Device.open('author', 'a text')
    const first = device.type('one ')
    const origin = originOf('author', 2)
    const other = bodyAt(origin, encodeCanonical(body))
    const draft = device.state.begin(originOf('author', 3))
    typeAll(draft.handle as Handle, device.tree, [], 'two ')
    const last = bodyAt(originOf('author', 3), draft.finish()!)
    for (const bodies of [[first, other, last], [first, other], [other]]) {
      const reader = await Device.open('reader', 'a text')
      expect(reader.state.fold(bodies)).toEqual([])
      expect(reader.skipped).toBe(
        'it was written as state of another kind and is declared as a document',
      )
      const text = bodies.map((body) => (body === first ? 'one ' : body === last ? 'two ' : ''))
      expect(reader.shown).toEqual({ text: text.toReversed().join('') })
      await expectRestored('a text', reader)
    }
  })

  test('all typed text is shown on every device, with any versions and in any order of delivery', async () => {
    const step = fc.record({ device: fc.nat(3), types: fc.boolean(), choice: fc.nat() })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...related), { minLength: 4, maxLength: 4 }),
        fc.array(step, { minLength: 4, maxLength: 24 }),
        fc.infiniteStream(fc.nat()),
        async (versions, steps, choices) => {
          const devices = await Promise.all(
            versions.map((version, i) => Device.open(`d${i}`, version)),
          )
          /** All bodies in an order in which they were made, with how many of each device came before. */
          const log: {
            readonly from: number
            readonly body: Body
            readonly after: readonly number[]
          }[] = []
          const held = devices.map(() => devices.map(() => 0))
          const deliver = (to: number, choice: number): boolean => {
            const ready = log.filter(
              ({ from, after }) =>
                from !== to &&
                after.every((n, i) => n <= held[to]![i]!) &&
                held[to]![from] === after[from],
            )
            if (ready.length === 0) return false
            const { from, body } = ready[choice % ready.length]!
            expect(devices[to]!.state.fold([body])).toEqual([])
            held[to]![from]!++
            return true
          }
          const words: string[] = []
          for (const { device, types, choice } of steps) {
            if (types) {
              const after = [...held[device]!]
              const word = `<${words.length}>`
              words.push(word)
              log.push({ from: device, body: devices[device]!.type(word), after })
              held[device]![device]!++
            } else if (deliver(device, choice)) void devices[device]!.state.mirror
          }
          for (const [i] of devices.entries()) while (deliver(i, choices.next().value)) void 0
          for (const [i, device] of devices.entries()) {
            const fresh = await Device.open('fresh', versions[i]!)
            expect(fresh.state.fold(log.map(({ body }) => body))).toEqual([])
            expect(device.shown).toEqual(fresh.shown)
            expect(device.state.version).toBe(fresh.state.version)
            expect(has(device.shown, device.tree)).toBe(true)
            const text = JSON.stringify(device.shown)
            for (const word of words) expect(text).toContain(word)
            const again = await models.get(versions[i]!)!.open(device.state.snapshot())
            expect(again.mirror).toEqual(device.shown)
            for (const state of [fresh.state, again]) state.close()
          }
          for (const { state } of devices) state.close()
        },
      ),
      { numRuns: 60 },
    )
  })
})
