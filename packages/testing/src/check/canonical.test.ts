import type { Json } from '@peerplane/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { SimRandom } from '../world/random.ts'
import { canonical, isSame } from './canonical.ts'

type Members = { readonly [key: string]: Json }

const RUNS = 2000

test('two values are the same just when their canonical forms are equal', () => {
  const answers = { same: 0, different: 0 }
  const random = fc.nat().map((seed) => new SimRandom(`${seed}`))
  const second = fc.constantFrom(copied, permuted, changed, changed)
  fc.assert(
    fc.property(fc.jsonValue(), second, random, (value, make, choices) => {
      const a = value as Json
      const b = make(a, choices)
      const same = canonical(a) === canonical(b)
      expect(isSame(a, b)).toBe(same)
      expect(isSame(b, a)).toBe(same)
      answers[same ? 'same' : 'different']++
    }),
    { numRuns: RUNS },
  )
  expect(answers.same).toBeGreaterThan(RUNS / 4)
  expect(answers.different).toBeGreaterThan(RUNS / 4)
})

test.for<[string, string]>([
  ['[]', '{"length":0}'],
  ['{"x":{}}', '{"__proto__":{}}'],
  ['{"a":0,"b":0}', '{"a:0,b":0}'],
  ['{"a":0,"b":0}', '{"a\\":0,\\"b":0}'],
])('%s and %s are different', ([one, other]) => {
  const [a, b] = [JSON.parse(one) as Json, JSON.parse(other) as Json]
  expect([isSame(a, b), isSame(b, a), canonical(a) === canonical(b)]).toEqual([false, false, false])
})

test('a zero has no sign', () => {
  expect(isSame([0], [-0])).toBe(true)
  expect(canonical([-0])).toBe('[0]')
})

const copied = (value: Json): Json => structuredClone(value) as Json

/** The same with the keys of all objects in another order. */
function permuted(value: Json, random: SimRandom): Json {
  if (isList(value)) return value.map((each) => permuted(each, random))
  if (!isObject(value)) return value
  const members = Object.entries(value).map(([key, each]) => [key, permuted(each, random)] as const)
  return Object.fromEntries(random.shuffle(members))
}

/** The same but for one place, in most cases. */
function changed(value: Json, random: SimRandom): Json {
  const other = (): Json => random.pick<Json>([null, false, 0, '', 'a', [], {}, [value]])
  const key = (): string => random.pick(['', '0', 'a', '__proto__', 'toString'])
  if (isList(value)) {
    const at = random.below(value.length)
    const [before, after] = [value.slice(0, at), value.slice(at + 1)]
    return random.pick<() => Json>([
      other,
      () => Object.fromEntries(Object.entries(value)),
      () => [...value, other()],
      () => random.shuffle(value),
      () => [...before, ...after],
      ...(value.length > 0 ? [() => [...before, changed(value[at]!, random), ...after]] : []),
    ])()
  }
  if (!isObject(value)) return random.pick<() => Json>([other, () => String(value)])()
  const members = Object.entries(value)
  const chosen = members[random.below(members.length)]
  const rest = members.filter((each) => each !== chosen)
  const replaced = (member: readonly [string, Json]): Json => Object.fromEntries([...rest, member])
  return random.pick<() => Json>([
    other,
    () => members.map(([, each]) => each),
    () => Object.fromEntries([...members, [key(), other()]]),
    () => Object.fromEntries(rest),
    ...(chosen
      ? [
          () => replaced([key(), chosen[1]]),
          () => replaced([chosen[0], changed(chosen[1], random)]),
        ]
      : []),
  ])()
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value)

const isObject = (value: Json): value is Members =>
  value !== null && typeof value === 'object' && !isList(value)
