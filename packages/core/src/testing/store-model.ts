import fc from 'fast-check'

import { compareBytes, equalBytes, toHex } from '../bytes.ts'
import type { Entry, KeyRange, Store, Write } from '../ports/store.ts'
import { fromUtf8, utf8 } from '../text.ts'

/** A fresh, empty store, and the way to open again what it held. */
export interface StoreFixture {
  readonly store: Store
  /** Called once, after `store` was closed. */
  reopen(): Promise<Store>
}

/** What a store should be: its pairs in the order of their keys. */
export type Pairs = readonly Entry[]

/** The pairs after one write. */
export function applied(model: Pairs, { key, value }: Write): Pairs {
  const others = model.filter((entry) => !equalBytes(entry.key, key))
  const changed = value ? [...others, { key, value }] : others
  return changed.toSorted((a, b) => compareBytes(a.key, b.key))
}

/** The pairs that a scan has to give. */
export function selected(model: Pairs, { from, to, limit, reverse }: KeyRange): Pairs {
  const inside = model.filter(
    ({ key }) => compareBytes(from, key) <= 0 && compareBytes(key, to) < 0,
  )
  return (reverse ? inside.toReversed() : inside).slice(0, limit)
}

/** Whether two lists hold the same pairs: much cheaper than comparing them for a message. */
export function samePairs(one: Pairs, other: Pairs): boolean {
  return (
    one.length === other.length &&
    one.every(
      ({ key, value }, i) => equalBytes(key, other[i]!.key) && equalBytes(value, other[i]!.value),
    )
  )
}

/** Pairs as text: to be compared, and to be read when that fails. */
export const written = (pairs: Pairs): string =>
  pairs.map(({ key, value }) => `${toHex(key)}=${toHex(value)}`).join(' ')

export const put = (key: string, value: string): Write => ({ key: utf8(key), value: utf8(value) })
export const drop = (key: string): Write => ({ key: utf8(key), value: undefined })

/** Every key of the suites: none begins with four bytes of 255. */
export const all: KeyRange = { from: new Uint8Array(0), to: Uint8Array.of(255, 255, 255, 255) }

/** The pairs of a range as `key=value`. */
export async function texts(store: Store, range: KeyRange): Promise<string[]> {
  const entries = await store.scan(range)
  return entries.map(({ key, value }) => `${fromUtf8(key)}=${fromUtf8(value)}`)
}

/** Few different bytes, so that keys collide, are prefixes of each other, and touch both ends of the order. */
export const anyKey: fc.Arbitrary<Uint8Array> = fc
  .array(fc.constantFrom(0, 1, 128, 255), { minLength: 1, maxLength: 3 })
  .map((bytes) => Uint8Array.from(bytes))

export const anyWrite: fc.Arbitrary<Write> = fc.record({
  key: anyKey,
  value: fc.option(fc.uint8Array({ maxLength: 3 }), { nil: undefined }),
})

export const anyRange: fc.Arbitrary<KeyRange> = fc.record(
  { from: anyKey, to: anyKey, limit: fc.integer({ min: 0, max: 5 }), reverse: fc.boolean() },
  { requiredKeys: ['from', 'to'] },
)
