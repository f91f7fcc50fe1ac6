import {
  document,
  type Body,
  type DocumentHandle,
  type Json,
  type StateModel,
} from '@peerplane/core'
import { bodyAt } from '@peerplane/core/testing'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'

import { kindOf, type Tree } from './defaults.ts'
import { originOf } from './hostile.fixture.test.ts'
import { documentModel } from './index.ts'

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
    models.set(name, await documentModel(document(tree)))
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

  /** What is shown, or why nothing is. */
  get shown(): Json {
    return this.state.problem ?? this.state.mirror
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
    else if (key === 'text') place[key] = word
  }
  const free = { text: 'text', map: `key of ${word}` }
  if (path.length > 0) place[free.map] = word
  else if (!('text' in tree)) place[free.text] = word
}

/** Whether a state has every place of an initial state. */
const has = (state: Json, tree: Tree): boolean =>
  Object.entries(tree).every(([key, value]) => {
    const found = (state as Tree)[key]
    return found !== undefined && (kindOf(value) !== 'map' || has(found, value as Tree))
  })
const isReason = (shown: Json): boolean =>
  typeof shown === 'string' && /^"text" was written as a \w+ and is declared as a \w+$/.test(shown)
const isReplaced = (tree: Tree): boolean =>
  !['text', 'list', 'map'].includes(kindOf(tree['text'] ?? null))

const pairs = Object.keys(trees).flatMap((from) =>
  Object.keys(trees).map((to) => [from, to] as const),
)

describe('documents of two versions', () => {
  test.each(pairs)(
    'text that is typed in one version is shown in another, or an error says why not: %s, then %s',
    async (from, to) => {
      const [old, young] = [await Device.open('old', from), await Device.open('young', to)]
      old.type('typed')
      expect(young.state.fold(old.sent)).toEqual([])
      const { shown } = young
      const isThere = JSON.stringify(shown).includes('typed') && has(shown, trees[to]!)
      expect([shown, isThere || isReason(shown)]).toEqual([shown, true])
      // A version that holds all of another one shows all of it.
      expect(isThere || !(related.includes(from) && related.includes(to))).toBe(true)
      if (!isThere) return
      young.type('answer')
      expect(old.state.fold(young.sent)).toEqual([])
      expect(JSON.stringify(old.shown)).toMatch(/answer/)
      expect(isReason(old.shown) || JSON.stringify(old.shown) === JSON.stringify(young.shown)).toBe(
        true,
      )
    },
  )

  test.each(pairs)(
    'devices with two versions of a declaration edit one document, or both show why they cannot: %s and %s',
    async (from, to) => {
      const [one, other] = [await Device.open('one', from), await Device.open('other', to)]
      one.type('here')
      other.type('there')
      expect(one.state.fold(other.sent)).toEqual([])
      expect(other.state.fold(one.sent)).toEqual([])
      const shown = [one.shown, other.shown]
      const areReasons = shown.every(isReason)
      expect([shown, areReasons || JSON.stringify(shown[0]) === JSON.stringify(shown[1])]).toEqual([
        shown,
        true,
      ])
      if (areReasons) return
      const text = JSON.stringify(shown[0])
      // Of two values at one place the later is shown.
      const isOneReplaced = isReplaced(trees[from]!) || isReplaced(trees[to]!)
      const counts = [text.includes('here'), text.includes('there')].filter(Boolean).length
      expect(counts).toBeGreaterThanOrEqual(isOneReplaced ? 1 : 2)
    },
  )

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
