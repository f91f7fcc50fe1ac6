import {
  counter,
  encodeCanonical,
  limits,
  map,
  record,
  register,
  set,
  type DeviceId,
  type EntityState,
  type HandleOf,
  type Origin,
  type SessionId,
  type Value,
} from '@peerplane/core'
import { bodyAt, processorTime } from '@peerplane/core/testing'
import { describe, expect, test } from 'vitest'

import { nativeModel } from './native-model.ts'

/*
 * Members send 200,000 valid ops to one place, with clocks at both ends. An honest device then changes it: in little time, with few bytes, and with
 * the effect that it wants.
 */

const shape = record({
  title: register(''),
  tags: set(),
  stock: map(counter()),
  cards: map(record({ title: register(''), votes: counter() })),
  count: counter(),
})
type Handle = HandleOf<typeof shape>
const model = nativeModel(shape)
const OPS = 200_000

const bytesOf = (n: number, length: number): string =>
  n
    .toString(16)
    .padStart(4, '0')
    .padEnd(length * 2, '0')

/** Who floods: each session with its device, and the session that comes before it. */
const crowds: Readonly<Record<string, (n: number) => { device: number; depth: number }>> = {
  'one session': () => ({ device: 1, depth: 1 }),
  '1,000 sessions without parents, of ten devices': (n) => ({ device: 1 + (n % 10), depth: 1 }),
  '1,000 sessions in a row': (n) => ({ device: 1, depth: n + 1 }),
}

const places: Readonly<Record<string, { op: Value; change: (h: Handle) => void; shown: object }>> =
  {
    'a register': {
      op: ['title', [0, 'hostile', []]],
      change: (h) => h.title.set('honest'),
      shown: { title: 'honest' },
    },
    'an element of a set': {
      op: ['tags', [1, 'x']],
      change: (h) => h.tags.delete('x'),
      shown: { tags: [] },
    },
    'a key of a map': {
      op: ['stock', [3, 'x', 1]],
      change: (h) => h.stock.delete('x'),
      shown: { stock: {} },
    },
    'a register in a map': {
      op: ['cards', [3, 'x', ['title', [0, 'hostile', []]]]],
      change: (h) => h.cards.get('x').title.set('honest'),
      shown: { cards: { x: { title: 'honest', votes: 0 } } },
    },
    'a counter': {
      op: ['count', 1],
      change: (h) => h.count.decrement(OPS),
      shown: { count: 0 },
    },
  }

describe.each(Object.entries(crowds))('%s', (crowd, sessionOf) => {
  test.each(Object.entries(places))('cannot keep others from changing %s', async (_, place) => {
    const state = await flooded(place.op, crowd === 'one session' ? 1 : 1_000, sessionOf)
    const before = processorTime()
    const { bytes, draft } = change(state, place.change)
    expect(processorTime() - before).toBeLessThan(50)
    expect(bytes.length).toBeLessThan(4096)
    expect(state.mirror).toMatchObject(place.shown)
    draft.revert()

    // The same is shown by a device that was restarted in between.
    const restarted = await model.open(state.snapshot())
    expect(change(restarted, place.change).bytes).toEqual(bytes)
    expect(restarted.mirror).toMatchObject(place.shown)
    expect(restarted.snapshot().length).toBeLessThan(limits.entityBytes / 20)
  })
})

async function flooded(
  op: Value,
  sessions: number,
  sessionOf: (n: number) => { device: number; depth: number },
): Promise<EntityState> {
  const state = await model.open(undefined)
  const perBody = Math.min(limits.opsPerSection, OPS / sessions)
  const bytes = encodeCanonical([[], Array.from({ length: perBody }, () => op)])
  for (let n = 0, made = 0; made < OPS; n++, made += perBody) {
    const { device, depth } = sessionOf(n)
    const session = sessions === 1 ? 0 : n
    const origin: Origin = {
      device: bytesOf(device, 32) as DeviceId,
      session: bytesOf(session, 16) as SessionId,
      seq: sessions === 1 ? n + 1 : 1,
      time: { ms: n % 2 === 0 ? Number.MAX_SAFE_INTEGER : 0, counter: 0 },
      lineage: {
        hasParents: depth > 1,
        covers: (other) => depth > 1 && parseInt(other.slice(0, 4), 16) < session,
      },
    }
    expect(state.fold([bodyAt(origin, bytes)])).toEqual([])
  }
  return state
}

function change(state: EntityState, how: (h: Handle) => void): ReturnType<typeof finished> {
  const origin: Origin = {
    device: bytesOf(200, 32) as DeviceId,
    session: bytesOf(5_000, 16) as SessionId,
    seq: 1,
    time: { ms: 1_000_000, counter: 0 },
  }
  const draft = state.begin(origin)
  how(draft.handle as Handle)
  return finished(state, draft, origin)
}

function finished(
  state: EntityState,
  draft: ReturnType<EntityState['begin']>,
  origin: Origin,
): { readonly bytes: Uint8Array; readonly draft: typeof draft } {
  const bytes = draft.finish()!
  state.identify(bodyAt(origin, bytes))
  return { bytes, draft }
}
