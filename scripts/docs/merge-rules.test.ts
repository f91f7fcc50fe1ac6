import { describe, expect, test } from 'vitest'

import {
  type Body,
  type DeviceId,
  type Draft,
  type EntityState,
  type Json,
  type SessionId,
  type StateModel,
} from '../../packages/core/src/index.ts'
import { bodyAt } from '../../packages/core/src/testing/index.ts'
import { documentModel } from '../../packages/crdt-store/src/document/model.ts'
import { nativeModel } from '../../packages/crdt-store/src/kernels/native-model.ts'
import { mergeRules, mergeRulesPage, type MergeRule, type MergeRules } from './merge-rules.ts'

const cases = mergeRules.flatMap((kind) => kind.rules.map((rule) => [kind, rule] as const))

describe('merge rules', () => {
  test.each(cases.map(([kind, rule]) => [kind.title, rule.rule, kind, rule] as const))(
    '%s: %s',
    async (_, __, kind, rule) => {
      const { shows, swapped = shows } = rule
      for (const [times, due] of [
        [[2, 3], shows],
        [[3, 2], swapped],
      ] as const) {
        const shown = await played(kind, rule, times)
        expect(shown).toEqual(shown.map(() => due))
      }
    },
  )

  test('the page has a row for each of them', () => {
    const rows = mergeRulesPage().match(/^\| .* \|$/gm)!
    expect(rows.length).toBe(cases.length + 2 * mergeRules.length)
    for (const [, { rule }] of cases) {
      expect(rows.some((row) => row.startsWith(`| ${rule} | `))).toBe(true)
    }
  })
})

/** What two devices show after they have received each other's change, and what others show that get the changes in either order. */
async function played(
  kind: MergeRules,
  { before, a, b }: MergeRule<never>,
  [timeA, timeB]: readonly [number, number],
): Promise<Json[]> {
  const model = await modelOf(kind)
  const open = (): Promise<EntityState> => model.open(undefined)
  const [first, second, third, fourth] = await Promise.all([open(), open(), open(), open()])
  const all = [first, second, third, fourth]
  const base = before ? write(first, { by: 'A', seq: 1, ms: 1 }, before) : []
  for (const state of all.slice(1)) state.fold(base)
  const seq = base.length + 1
  const ofA = write(first, { by: 'A', seq, ms: timeA }, a)
  const ofB = write(second, { by: 'B', seq: 1, ms: timeB }, b)
  first.fold(ofB)
  second.fold(ofA)
  third.fold([...ofA, ...ofB])
  fourth.fold([...ofB, ...ofA])
  return all.map((state) => (state.exists ? simple(state.mirror) : null))
}

const modelOf = ({ shape, wins = 'update' }: MergeRules): Promise<StateModel> | StateModel =>
  shape.kind === 'document' ? documentModel(shape as never, { wins }) : nativeModel(shape, { wins })

interface At {
  readonly by: 'A' | 'B'
  readonly seq: number
  readonly ms: number
}

function write(
  state: EntityState,
  { by, seq, ms }: At,
  act: (...args: [never, (value: string) => string, Draft]) => unknown,
): Body[] {
  const origin = { ...idsOf[by], seq, time: { ms, counter: 0 } }
  const keys = keysIn(state.mirror)
  const draft = state.begin(origin)
  act(draft.handle as never, (value) => keys.get(value)!, draft)
  const bytes = draft.finish()
  if (!bytes) throw new Error('nothing has changed')
  const body = bodyAt(origin, bytes)
  state.identify(body)
  return [body]
}

const idsOf = {
  A: { device: 'a'.repeat(64) as DeviceId, session: 'a'.repeat(32) as SessionId },
  B: { device: 'b'.repeat(64) as DeviceId, session: 'b'.repeat(32) as SessionId },
}

interface Shown {
  readonly key: string
  readonly value: string
  readonly children?: readonly Shown[]
}

const isItem = (item: unknown): item is Shown =>
  typeof item === 'object' && item !== null && 'key' in item && 'value' in item

/** The keys of all elements or nodes, by their values. */
const keysIn = (mirror: Json): Map<string, string> =>
  new Map(itemsIn(mirror).map(({ key, value }) => [value, key]))

const itemsIn = (mirror: unknown): Shown[] =>
  Array.isArray(mirror)
    ? mirror.filter(isItem).flatMap((item) => [item, ...itemsIn(item.children)])
    : []

/** A state without keys, and with A and B in the place of devices. */
function simple(mirror: Json): Json {
  if (Array.isArray(mirror))
    return mirror.map((item) => (isItem(item) ? textOf(item) : (item as Json)))
  if (typeof mirror !== 'object' || mirror === null) return mirror
  const names = Object.entries(mirror).map(([name, part]) => {
    const by = (['A', 'B'] as const).find((each) => idsOf[each].device === name)
    return [by ?? name, part] as const
  })
  return Object.fromEntries(names)
}

const textOf = ({ value, children = [] }: Shown): string =>
  children.length === 0 ? value : `${value}(${children.map(textOf).join(' ')})`
