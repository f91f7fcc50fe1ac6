import {
  document,
  type Body,
  type DocumentHandle,
  type EntityState,
  type Json,
  type StateModel,
} from '@peerplane/core'
import { bodyAt } from '@peerplane/core/testing'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'

import { originOf } from './hostile.fixture.test.ts'
import { innerModel } from './inner-model.fixture.test.ts'
import type { Neighbour } from './text-positions.ts'

interface Content {
  readonly [key: string]: Json
  text: string
  other: string
  list: number[]
}
type Handle = DocumentHandle<Content>
const invalid: unknown = expect.objectContaining({ code: 'invalid-input' })

let model: StateModel
beforeAll(async () => {
  model = await innerModel(document<Content>({ text: '', other: 'abc', list: [1] }))
})

let commands = 0
function command<T>(state: EntityState, name: string, run: (doc: Handle) => T): [T, Body[]] {
  const origin = originOf(name, ++commands)
  const draft = state.begin(origin)
  const result = run(draft.handle as Handle)
  const bytes = draft.finish()
  return [result, bytes ? [bodyAt(origin, bytes)] : []]
}

const textOf = (state: EntityState): string => (state.mirror as unknown as Content).text

/** Characters that are in the text once each, with a pair among them. */
const LETTERS = Array.from('abcdefgh👍ij')

const step = fc.record({
  kind: fc.constantFrom('insert', 'delete', 'receive'),
  device: fc.nat(1),
  at: fc.nat(40),
})

/** Where a position next to a letter may be: anywhere after the letter was deleted. */
function indicesIn(text: string, letter: string | undefined, neighbour: Neighbour): number[] {
  if (letter === undefined) return [neighbour === 'next' ? text.length : 0]
  const found = text.indexOf(letter)
  if (found < 0) return Array.from({ length: text.length + 1 }, (_, i) => i)
  return [neighbour === 'next' ? found : found + letter.length]
}

test('a position stays next to its character, on every device', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(LETTERS.length),
      fc.constantFrom<Neighbour>('next', 'previous'),
      fc.array(step, { maxLength: 12 }),
      async (place, neighbour, steps) => {
        const states = [await model.open(undefined), await model.open(undefined)]
        const [first, second] = states as [EntityState, EntityState]
        const [position, begin] = command(first, 'a', (doc) => {
          doc.text = LETTERS.join('')
          return doc.positionAt(['text'], LETTERS.slice(0, place).join('').length, neighbour)
        })
        expect(second.fold(begin)).toEqual([])
        const letter = LETTERS[neighbour === 'next' ? place : place - 1]
        const sent: Body[][] = [[], []]
        const check = (state: EntityState): void => {
          const text = textOf(state)
          const [index, none] = command(state, 'x', (doc) => doc.indexOf(['text'], position))
          expect(none).toEqual([])
          expect(indicesIn(text, letter, neighbour)).toContain(index)
        }
        for (const { kind, device, at } of steps) {
          const state = states[device]!
          if (kind === 'receive') state.fold(sent[1 - device]!.splice(0))
          else {
            const [, bodies] = command(state, 'ab'[device]!, (doc) => {
              const characters = Array.from(doc.text)
              const to = at % (characters.length + 1)
              const index = characters.slice(0, to).join('').length
              if (kind === 'insert') doc.splice(['text'], index, 0, 'XY')
              else doc.splice(['text'], index, (characters[to] ?? '').length, '')
            })
            sent[device]!.push(...bodies)
          }
          check(state)
        }
        for (const [device, state] of states.entries()) state.fold(sent[1 - device]!)
        for (const state of states) check(state)
        const indices = states.map(
          (state) => command(state, 'x', (doc) => doc.indexOf(['text'], position))[0],
        )
        expect(indices[0]).toBe(indices[1])
        for (const state of states) state.close()
      },
    ),
    { numRuns: 60 },
  )
})

test('pieces that are inserted at a position stay together while somebody else types', async () => {
  const [a, b] = [await model.open(undefined), await model.open(undefined)]
  b.fold(command(a, 'a', (doc) => (doc.text = 'begin end'))[1])
  let [position, bodies] = command(a, 'a', (doc) => doc.positionAt(['text'], 6))
  for (const piece of ['one ', 'two ', 'three ']) {
    const typed = command(b, 'b', (doc) => doc.splice(['text'], 0, 0, '>'))[1]
    ;[position, bodies] = command(a, 'a', (doc) => {
      doc.splice(['text'], position, 0, piece)
      return position
    })
    a.fold(typed)
    b.fold(bodies)
  }
  expect(textOf(a)).toBe('>>>begin one two three end')
  expect(textOf(b)).toBe(textOf(a))
})

test('what is no position of the text is refused, and the document goes on', async () => {
  const state = await model.open(undefined)
  const [other] = command(state, 'a', (doc) => {
    doc.text = 'x'
    return doc.positionAt(['other'], 1)
  })
  const actor = 'ab'.repeat(16)
  const known = other.slice(other.indexOf('@'))
  const wrong: unknown[] = ['', '>', '<', 'e', '>x', '> e', '>5@', undefined, null, 3, {}, ['>e']]
  wrong.push(`>1@${actor}`, `<7${known}x`, `>-1${known}`, `>1${known}`, `>0${known}`)
  wrong.push(other, `<${other.slice(1)}`, `>4294967297${known}`, Symbol('>e'))
  command(state, 'a', (doc) => {
    for (const position of wrong) {
      expect(() => doc.indexOf(['text'], position as string)).toThrow(invalid)
    }
    expect(() => doc.splice(['text'], other, 0, 'y')).toThrow(invalid)
    expect(() => doc.positionAt(['text'], 2)).toThrow(invalid)
    expect(() => doc.positionAt(['list'], 0)).toThrow(invalid)
    expect(() => doc.positionAt(['text'], 0, 'both' as Neighbour)).toThrow(invalid)
    expect(doc.indexOf(['other'], other)).toBe(1)
    doc.splice(['text'], 1, 0, 'y')
  })
  expect(textOf(state)).toBe('xy')
  const again = await model.open(state.snapshot())
  expect(again.mirror).toEqual(state.mirror)
})
