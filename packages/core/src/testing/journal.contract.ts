import { afterEach, describe, expect, test } from 'vitest'

import type { EntityKey, SessionId } from '../ids.ts'
import { limits } from '../limits.ts'
import type { Journal, JournalEvent, JournalGroup, Lease, UnderLease } from '../ports/journal.ts'
import { utf8 } from '../text.ts'

/** A new journal, which several connections use. */
export interface JournalFixture {
  /** Opens one more connection to the journal. The suite closes it. */
  open(): Promise<Journal>
  /** Resolves when `ms` milliseconds have passed for the leases of the journal. */
  pass(ms: number): Promise<void>
}

const MINUTE = 60_000
const cart = 'cart/a' as EntityKey
const seat = 'seat/ü' as EntityKey
const outbox = '00ff'.repeat(8) as SessionId
const other = 'ab'.repeat(16) as SessionId
const empty: JournalGroup = { events: [], outcomes: [], watermarks: [], snapshots: [] }

const event = (
  entity: EntityKey,
  number: number,
  position: number,
  text: string,
): JournalEvent => ({
  entity,
  number,
  position,
  record: utf8(text),
})

/** The tests that every {@link Journal} passes. `fresh` makes a new journal at every call. */
export function journalContract(name: string, fresh: () => Promise<JournalFixture>): void {
  const opened: Journal[] = []
  const connect = async (fixture: JournalFixture): Promise<Journal> => {
    const journal = await fixture.open()
    opened.push(journal)
    return journal
  }
  /** Two connections to a new journal. */
  const two = async (): Promise<{ a: Journal; b: Journal; pass: JournalFixture['pass'] }> => {
    const fixture = await fresh()
    const [a, b] = [await connect(fixture), await connect(fixture)]
    return { a, b, pass: (ms) => fixture.pass(ms) }
  }
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((journal) => journal.close()))
  })

  describe(`journal contract: ${name}`, () => {
    describe('leases', () => {
      test('connections to one journal have one id, and each journal has its own', async () => {
        const { a, b } = await two()
        const { a: another } = await two()
        expect(a.id).toMatch(/^[0-9a-f]{32}$/)
        expect(b.id).toBe(a.id)
        expect(another.id).not.toBe(a.id)
      })

      test('one holder has the lease until it ends it', async () => {
        const { a, b } = await two()
        const lease = await claimed(a, 3, 'A')
        expect(await b.claim(3, 'B', MINUTE)).toEqual({ outcome: 'held', holder: 'A' })
        await claimed(b, 4, 'B')
        await a.release(lease)
        const next = await claimed(b, 3, 'B')
        expect(next.token).toBeGreaterThan(lease.token)
        await a.release(lease)
        expect(await b.append(next, empty)).toEqual({ outcome: 'written' })
      })

      test('a lease ends with its time; until another claims the shard, it can be renewed', async () => {
        const { a, b, pass } = await two()
        const lease = await claimed(a, 0, 'A', 40)
        await pass(60)
        expect(await a.append(lease, empty)).toEqual({ outcome: 'fenced' })
        expect(await a.renew(lease, MINUTE)).toBe(true)
        expect(await a.append(lease, empty)).toEqual({ outcome: 'written' })
        expect((await b.claim(0, 'B', MINUTE)).outcome).toBe('held')
        expect(await a.renew(lease, 1)).toBe(true)
        await pass(20)
        await claimed(b, 0, 'B')
        expect(await a.renew(lease, MINUTE)).toBe(false)
      })

      test('a holder may claim again, and its earlier lease no longer holds', async () => {
        const { a } = await two()
        const first = await claimed(a, 0, 'A')
        const second = await claimed(a, 0, 'A')
        expect(second.token).toBe(first.token + 1)
        expect(second.nonce).not.toEqual(first.nonce)
        expect(await a.append(first, empty)).toEqual({ outcome: 'fenced' })
        expect(await a.append(second, empty)).toEqual({ outcome: 'written' })
      })

      test('a token with other random bytes is another lease', async () => {
        const { a } = await two()
        const lease = await claimed(a, 0, 'A')
        const lost = { ...lease, nonce: new Uint8Array(16) }
        expect(await a.append(lost, empty)).toEqual({ outcome: 'fenced' })
        expect(await a.position(lost)).toEqual({ outcome: 'fenced' })
        expect(await a.renew(lost, MINUTE)).toBe(false)
      })
    })

    describe('appends', () => {
      test('everything that was written is read, byte for byte, on every connection', async () => {
        const { a, b } = await two()
        const lease = await claimed(a, 5, 'A')
        const record = Uint8Array.from({ length: 300 }, (_, i) => i % 256)
        const events = [event(cart, 1, 1, 'x'), { ...event(seat, 1, 2, ''), record }]
        const outcomes = [
          { outbox, n: 2, record: utf8('b') },
          { outbox, n: 1, record: utf8('a') },
        ]
        const snapshots = [{ entity: seat, number: 1, record }]
        const group = { events, outcomes, watermarks: [{ outbox: other, n: 7 }], snapshots }
        expect(await a.append(lease, group)).toEqual({ outcome: 'written' })

        for (const journal of [a, b]) {
          expect(value(await journal.position(lease))).toBe(2)
          expect(value(await journal.tail(lease, 0))).toEqual(events)
          expect(value(await journal.tail(lease, 1))).toEqual(events.slice(1))
          expect(value(await journal.events(lease, seat, 0))).toEqual(events.slice(1))
          expect(value(await journal.events(lease, seat, 1))).toEqual([])
          expect(value(await journal.snapshot(lease, seat))).toEqual({ number: 1, record })
          expect(value(await journal.snapshot(lease, cart))).toBeUndefined()
          const known = { watermark: 0, outcomes: outcomes.toReversed() }
          expect(value(await journal.caller(lease, outbox))).toEqual(known)
          expect(value(await journal.caller(lease, other))).toEqual({ watermark: 7, outcomes: [] })
        }
      })

      test('a group is written as a whole or not at all', async () => {
        const { a } = await two()
        const lease = await claimed(a, 0, 'A')
        const first = { ...empty, events: [event(cart, 1, 1, 'x')] }
        await a.append(lease, { ...first, outcomes: [{ outbox, n: 1, record: utf8('a') }] })
        const rest = {
          outcomes: [{ outbox, n: 2, record: utf8('b') }],
          watermarks: [{ outbox, n: 1 }],
          snapshots: [{ entity: cart, number: 1, record: utf8('s') }],
        }
        const again = [
          { ...rest, events: [event(seat, 1, 2, 'y'), event(cart, 1, 3, 'number')] },
          { ...rest, events: [event(seat, 1, 1, 'position')] },
          {
            ...rest,
            events: [],
            outcomes: [{ outbox, n: 1, record: utf8('twice') }],
            watermarks: [],
          },
        ]
        for (const group of again) {
          await expect(a.append(lease, group)).rejects.toMatchObject({ code: 'store-failed' })
        }
        expect(value(await a.tail(lease, 0))).toEqual(first.events)
        const known = { watermark: 0, outcomes: [{ outbox, n: 1, record: utf8('a') }] }
        expect(value(await a.caller(lease, outbox))).toEqual(known)
        expect(value(await a.snapshot(lease, cart))).toBeUndefined()
        expect(await a.append(lease, { ...rest, events: [event(seat, 1, 2, 'y')] })).toEqual({
          outcome: 'written',
        })
      })

      test('after another claim, an append of the earlier lease writes nothing', async () => {
        const { a, b, pass } = await two()
        const old = await claimed(a, 0, 'A', 10)
        await pass(20)
        const lease = await claimed(b, 0, 'B')
        const group: JournalGroup = {
          events: [event(cart, 1, 1, 'late')],
          outcomes: [{ outbox, n: 1, record: utf8('late') }],
          watermarks: [{ outbox: other, n: 1 }],
          snapshots: [{ entity: cart, number: 1, record: utf8('late') }],
        }
        expect(await a.append(old, group)).toEqual({ outcome: 'fenced' })
        expect(await a.append(old, empty)).toEqual({ outcome: 'fenced' })
        expect(value(await b.position(lease))).toBe(0)
        expect(value(await b.caller(lease, outbox)).outcomes).toEqual([])
        expect(value(await b.caller(lease, other)).watermark).toBe(0)
        expect(value(await b.snapshot(lease, cart))).toBeUndefined()
      })

      test('a watermark forgets the outcomes below it, and never goes back', async () => {
        const { a } = await two()
        const lease = await claimed(a, 0, 'A')
        const outcomes = [1, 2, 3].map((n) => ({ outbox, n, record: utf8(`${n}`) }))
        const others = [{ outbox: other, n: 1, record: utf8('kept') }]
        await a.append(lease, { ...empty, outcomes: [...outcomes, ...others] })
        await a.append(lease, { ...empty, watermarks: [{ outbox, n: 2 }] })
        await a.append(lease, { ...empty, watermarks: [{ outbox, n: 1 }] })
        const known = { watermark: 2, outcomes: outcomes.slice(2) }
        expect(value(await a.caller(lease, outbox))).toEqual(known)
        expect(value(await a.caller(lease, other)).outcomes).toEqual(others)
      })

      test('a snapshot never goes back', async () => {
        const { a } = await two()
        const lease = await claimed(a, 0, 'A')
        for (const number of [1, 3, 2]) {
          const record = utf8(`after ${number}`)
          await a.append(lease, { ...empty, snapshots: [{ entity: cart, number, record }] })
        }
        const latest = { number: 3, record: utf8('after 3') }
        expect(value(await a.snapshot(lease, cart))).toEqual(latest)
      })

      test('a group that is too large is refused as a whole', async () => {
        const { a } = await two()
        const lease = await claimed(a, 0, 'A')
        const many = Array.from({ length: limits.journalGroupRows + 1 }, (_, i) => i + 1)
        const half = new Uint8Array(limits.journalGroupBytes / 2 + 1)
        const groups: JournalGroup[] = [
          { ...empty, events: many.map((i) => event(cart, i, i, '')) },
          { ...empty, watermarks: many.map((n) => ({ outbox, n })) },
          { ...empty, outcomes: [1, 2].map((n) => ({ outbox, n, record: half })) },
        ]
        for (const group of groups) {
          await expect(a.append(lease, group)).rejects.toMatchObject({ code: 'too-large' })
        }
        expect(value(await a.position(lease))).toBe(0)
        expect(value(await a.caller(lease, outbox))).toEqual({ watermark: 0, outcomes: [] })
      })
    })

    describe('reads', () => {
      test('every read under an earlier lease is fenced', async () => {
        const { a, b } = await two()
        const old = await claimed(a, 0, 'A')
        await a.release(old)
        await claimed(b, 0, 'B')
        for (const journal of [a, b]) {
          expect(await journal.position(old)).toEqual({ outcome: 'fenced' })
          expect(await journal.tail(old, 0)).toEqual({ outcome: 'fenced' })
          expect(await journal.events(old, cart, 0)).toEqual({ outcome: 'fenced' })
          expect(await journal.snapshot(old, cart)).toEqual({ outcome: 'fenced' })
          expect(await journal.caller(old, outbox)).toEqual({ outcome: 'fenced' })
        }
      })

      test('events come in pages, and a large event has a page of its own', async () => {
        const { a } = await two()
        const lease = await claimed(a, 0, 'A')
        const sizes = [3, 1.5, 5, 0.5, 0.25].map((part) => (part * limits.journalPageBytes) / 4)
        for (const [i, size] of sizes.entries()) {
          const record = new Uint8Array(size).fill(i)
          const events = [{ entity: cart, number: i + 1, position: i + 1, record }]
          await a.append(lease, { ...empty, events })
        }
        const pages: number[][] = []
        for (let after = 0; after < sizes.length; after = pages.at(-1)!.at(-1)!) {
          const page = sketch(value(await a.events(lease, cart, after)))
          expect(sketch(value(await a.tail(lease, after)))).toEqual(page)
          expect(page.map(([, size]) => size)).toEqual(sizes.slice(after, after + page.length))
          pages.push(page.map(([number]) => number))
        }
        expect(pages).toEqual([[1, 2], [3], [4, 5]])
      })
    })

    test('shards do not share positions, and other entities are not read', async () => {
      const { a } = await two()
      const [one, next] = [await claimed(a, 1, 'A'), await claimed(a, 2, 'A')]
      await a.append(one, { ...empty, events: [event(cart, 1, 1, 'one')] })
      await a.append(next, { ...empty, events: [event(seat, 1, 1, 'two')] })
      expect(value(await a.tail(one, 0))).toEqual([event(cart, 1, 1, 'one')])
      expect(value(await a.events(next, seat, 0))).toEqual([event(seat, 1, 1, 'two')])
    })

    test('after close, each call rejects with `closed`', async () => {
      const { a, b } = await two()
      const lease = await claimed(a, 0, 'A')
      await a.close()
      await a.close()
      const calls = [
        () => a.claim(0, 'A', MINUTE),
        () => a.renew(lease, MINUTE),
        () => a.release(lease),
        () => a.append(lease, empty),
        () => a.position(lease),
        () => a.snapshot(lease, cart),
        () => a.events(lease, cart, 0),
        () => a.tail(lease, 0),
        () => a.caller(lease, outbox),
      ]
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'closed' })
      expect(await b.append(lease, empty)).toEqual({ outcome: 'written' })
    })

    test('when a claim has read the journal, no earlier lease writes to it', async () => {
      const { a, b, pass } = await two()
      const homes = [a, b].map((journal, i) => rival(journal, `home ${i}`, pass))
      const acknowledged = (await Promise.all(homes)).flat()
      await pass(10)
      const lease = await claimed(a, 9, 'reader')
      const written = value(await a.tail(lease, 0))
      expect(written.map(({ position }) => position)).toEqual(written.map((_, i) => i + 1))
      const tokens = written.map(({ record }) => record[0]!)
      expect(tokens).toEqual(tokens.toSorted((x, y) => x - y))
      const positions = new Set(written.map(({ position }) => position))
      expect(acknowledged.filter((position) => !positions.has(position))).toEqual([])
      expect(new Set(acknowledged).size).toBe(acknowledged.length)
      expect(new Set(tokens).size).toBeGreaterThan(1)
    })
  })
}

/** A home that loses its lease, and claims again, all the time. Resolves with the positions of what was acknowledged. */
async function rival(
  journal: Journal,
  holder: string,
  pass: JournalFixture['pass'],
): Promise<number[]> {
  const written: number[] = []
  for (let round = 0; round < 20; round++) {
    await pass(1)
    const claim = await journal.claim(9, holder, 2)
    if (claim.outcome === 'held') continue
    const { lease } = claim
    const read = await journal.position(lease)
    if (read.outcome === 'fenced') continue
    for (let position = read.value + 1; position <= read.value + 4; position++) {
      const record = Uint8Array.of(lease.token)
      const events = [{ entity: cart, number: position, position, record }]
      const { outcome } = await journal.append(lease, { ...empty, events })
      if (outcome !== 'written') break
      written.push(position)
    }
  }
  return written
}

async function claimed(
  journal: Journal,
  shard: number,
  holder: string,
  ms = MINUTE,
): Promise<Lease> {
  const claim = await journal.claim(shard, holder, ms)
  if (claim.outcome !== 'claimed') throw new Error(`${claim.holder} holds shard ${shard}`)
  return claim.lease
}

/** The numbers and the sizes of events: comparing megabytes byte for byte takes seconds. */
const sketch = (events: readonly JournalEvent[]): [number, number][] =>
  events.map(({ number, record }) => [number, record.length])

function value<T>(read: UnderLease<T>): T {
  if (read.outcome !== 'read') throw new Error('the read was fenced')
  return read.value
}
