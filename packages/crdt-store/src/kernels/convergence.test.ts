import {
  counter,
  encodeCanonical,
  fromHex,
  map,
  record,
  register,
  set,
  type Body,
  type EntityState,
  type HandleOf,
  type Json,
  type Origin,
  type DeviceId,
  type SessionId,
  type Value,
} from '@peerplane/core'
import { bodyAt } from '@peerplane/core/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { nativeModel } from './native-model.ts'

/*
 * Replicas run random commands on one entity and receive each other's in random causal orders. The oracle keeps every event with its whole
 * causal past and works out the state from the definitions: an effect is there unless an event that saw it cleared it.
 */

const shape = record({
  count: counter(),
  note: register(''),
  tags: set<string | number>(),
  items: map(counter()),
  cards: map(
    record({ title: register(''), votes: counter(), labels: set(), parts: map(register('')) }),
  ),
})
type Handle = HandleOf<typeof shape>
const model = nativeModel(shape)

interface Change {
  readonly kind: 'increment' | 'write' | 'add' | 'delete' | 'clear'
  /** Where: names and keys, joined by a slash. */
  readonly path: string
  readonly value: string | number
}
interface Event extends Change, Origin {
  readonly index: number
  readonly past: ReadonlySet<Event>
}
interface Sent extends Body {
  readonly events: readonly Event[]
  readonly deps: ReadonlyMap<SessionId, number>
}
interface Replica {
  readonly state: EntityState
  readonly delivered: Map<SessionId, number>
  readonly events: Set<Event>
  session: SessionId
}

const keys = ['a', '__proto__', 'constructor', '7'] as const
const key = fc.constantFrom(...keys)
const change: fc.Arbitrary<Change> = fc.oneof(
  changes('increment', fc.integer({ min: -3, max: 5 }), (k) => [
    'count',
    `items/${k}`,
    `cards/${k}/votes`,
  ]),
  changes('write', fc.string({ unit: 'grapheme', maxLength: 3 }), (k) => [
    'note',
    `cards/${k}/title`,
    `cards/${k}/parts/x`,
  ]),
  changes('add', fc.constantFrom('p', 'q', '__proto__'), (k) => ['tags', `cards/${k}/labels`]),
  changes('delete', fc.constantFrom('p', 'q', '__proto__'), (k) => ['tags', `cards/${k}/labels`]),
  changes('clear', fc.constant(0), (k) => [`items/${k}`, `cards/${k}`, `cards/${k}/parts/x`]),
)

const step = fc.oneof(
  fc.record({
    do: fc.constant('command' as const),
    replica: fc.nat(3),
    changes: fc.array(change, { minLength: 1, maxLength: 4 }),
    ms: fc.nat(5),
  }),
  fc.record({ do: fc.constant('deliver' as const), replica: fc.nat(3), choice: fc.nat() }),
  fc.record({ do: fc.constant('reopen' as const), replica: fc.nat(3) }),
)

describe('replicas with native state', () => {
  test('converge to what the oracle says, byte for byte, in whatever causal order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 4 }),
        fc.array(step, { maxLength: 40 }),
        fc.infiniteStream(fc.nat()),
        async (count, steps, choices) => {
          const replicas = await Promise.all(Array.from({ length: count }, (_, i) => replica(i)))
          const sent: Sent[] = []
          let openings = count
          for (const each of steps) {
            const one = replicas[each.replica % count]!
            if (each.do === 'command') sent.push(...command(one, each.changes, each.ms))
            if (each.do === 'deliver') deliver(one, sent, each.choice)
            if (each.do === 'reopen') {
              one.session = sessionId(openings++)
              replicas[each.replica % count] = {
                ...one,
                state: await model.open(one.state.snapshot()),
              }
            }
            const current = replicas[each.replica % count]!
            expect(current.state.mirror).toEqual(oracle(current.events))
          }
          for (const one of replicas) while (deliver(one, sent, choices.next().value)) void 0
          const [first, ...others] = replicas.map(({ state }) => state)
          for (const other of others) {
            expect(other.mirror).toEqual(first!.mirror)
            expect(other.snapshot()).toEqual(first!.snapshot())
          }
          expect(first!.mirror).toEqual(oracle(replicas[0]!.events))
        },
      ),
      { numRuns: 300 },
    )
  })

  test('converge also when bodies name commits that they cannot know', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(forgedBody, { minLength: 2, maxLength: 12 }),
        fc.infiniteStream(fc.nat()),
        fc.infiniteStream(fc.nat()),
        async (bodies, someOrder, otherOrder) => {
          const fold = async (order: IterableIterator<number>): Promise<EntityState> => {
            const state = await model.open(undefined)
            for (const body of inSessionOrder(bodies, order)) state.fold([body])
            return state
          }
          const one = await fold(someOrder)
          const other = await fold(otherOrder)
          expect([one.problem, other.problem]).toEqual([undefined, undefined])
          expect(other.mirror).toEqual(one.mirror)
          expect(other.snapshot()).toEqual(one.snapshot())
          expect((await model.open(one.snapshot())).snapshot()).toEqual(one.snapshot())
        },
      ),
      { numRuns: 500 },
    )
  })
})

function changes(
  kind: Change['kind'],
  value: fc.Arbitrary<string | number>,
  paths: (key: string) => string[],
): fc.Arbitrary<Change> {
  return fc
    .tuple(
      key.chain((k) => fc.constantFrom(...paths(k))),
      value,
    )
    .map(([path, each]) => ({ kind, path, value: each }))
}

const deviceId = '0d'.repeat(32) as DeviceId
const sessionId = (n: number): SessionId => n.toString(16).padStart(32, '0') as SessionId

async function replica(n: number): Promise<Replica> {
  return {
    state: await model.open(undefined),
    session: sessionId(n),
    delivered: new Map(),
    events: new Set(),
  }
}

function command(replica: Replica, list: readonly Change[], ms: number): Sent[] {
  const { state, session, delivered, events } = replica
  const origin: Origin = {
    device: deviceId,
    session,
    seq: (delivered.get(session) ?? 0) + 1,
    time: { ms, counter: 0 },
  }
  const before = state.snapshot()
  const { mirror } = state
  const rehearsal = state.begin(origin)
  for (const each of list) perform(rehearsal.handle as Handle, each)
  expect(Object.isFrozen(state.mirror)).toBe(true)
  rehearsal.revert()
  expect(state.snapshot()).toEqual(before)
  expect(state.mirror).toBe(mirror)

  const draft = state.begin(origin)
  for (const each of list) perform(draft.handle as Handle, each)
  const deps = new Map(delivered)
  const made: Event[] = []
  for (const [index, each] of list.entries()) {
    const event = { ...each, ...origin, index, past: new Set(events) }
    events.add(event)
    made.push(event)
  }
  const bytes = draft.finish()
  if (!bytes) return []
  delivered.set(session, origin.seq)
  const body = bodyAt(origin, bytes)
  state.identify(body)
  return [{ ...body, events: made, deps }]
}

function perform(state: Handle, { kind, path, value }: Change): void {
  const [name, k, field] = path.split('/') as [string, string, string]
  const card = (): HandleOf<typeof shape.fields.cards.value> => state.cards.get(k)
  if (kind === 'increment') {
    const target =
      name === 'count' ? state.count : name === 'items' ? state.items.get(k) : card().votes
    if (value === 0) target.increment(0)
    else if ((value as number) < 0) target.decrement(-Number(value))
    else target.increment(value as number)
  } else if (kind === 'write') {
    if (name === 'note') state.note.set(value as string)
    else if (field === 'title') card().title.set(value as string)
    else
      card()
        .parts.get('x')
        .set(value as string)
  } else if (kind === 'clear') {
    if (name === 'items') state.items.delete(k)
    else if (field) card().parts.delete('x')
    else state.cards.delete(k)
  } else {
    const target = name === 'tags' ? state.tags : card().labels
    target[kind](value as string)
  }
}

function deliver(replica: Replica, sent: readonly Sent[], choice: number): boolean {
  const { delivered, state, events } = replica
  const held = (session: SessionId): number => delivered.get(session) ?? 0
  const ready = sent.filter(
    ({ origin, deps }) =>
      origin.seq === held(origin.session) + 1 &&
      [...deps].every(([session, seq]) => held(session) >= seq),
  )
  const next = ready[choice % ready.length]
  if (!next) return false
  expect(state.fold([next])).toEqual([])
  expect(state.fold([next])).toEqual([])
  delivered.set(next.origin.session, next.origin.seq)
  for (const event of next.events) events.add(event)
  return true
}

/** The state by definition, from all events. */
function oracle(events: ReadonlySet<Event>): Json {
  const isCleared = (effect: Event): boolean =>
    [...events].some((event) => event.past.has(effect) && clears(event, effect))
  const alive = [...events].filter(
    (event) =>
      event.kind !== 'delete' &&
      event.kind !== 'clear' &&
      !(event.kind === 'increment' && event.value === 0) &&
      !isCleared(event),
  )
  const at = (path: string): Event[] => alive.filter((event) => event.path === path)
  const total = (path: string): number =>
    at(path).reduce((sum, { value }) => sum + (value as number), 0)
  const latest = (path: string): string =>
    (at(path).sort(byTime).at(-1)?.value as string | undefined) ?? ''
  const elements = (path: string): Json =>
    [...new Set(at(path).map(({ value }) => String(value)))].sort()
  const present = (path: string): string[] =>
    keys.filter((k) =>
      alive.some(
        (event) => event.path === `${path}/${k}` || event.path.startsWith(`${path}/${k}/`),
      ),
    )
  const object = (names: readonly string[], valueOf: (name: string) => Json): Json =>
    Object.fromEntries(names.map((name) => [name, valueOf(name)]))
  return {
    count: total('count'),
    note: latest('note'),
    tags: elements('tags'),
    items: object(present('items'), (k) => total(`items/${k}`)),
    cards: object(present('cards'), (k) => ({
      title: latest(`cards/${k}/title`),
      votes: total(`cards/${k}/votes`),
      labels: elements(`cards/${k}/labels`),
      parts: at(`cards/${k}/parts/x`).length > 0 ? { x: latest(`cards/${k}/parts/x`) } : {},
    })),
  }
}

function clears(event: Event, effect: Event): boolean {
  if (event.kind === 'clear') return `${effect.path}/`.startsWith(`${event.path}/`)
  if (event.path !== effect.path || event.kind === 'increment') return false
  return event.kind === 'write' || event.value === effect.value
}

const byTime = (a: Event, b: Event): number =>
  a.time.ms - b.time.ms ||
  (a.session < b.session ? -1 : a.session > b.session ? 1 : a.seq - b.seq || a.index - b.index)

const place = fc.constantFrom('a', '__proto__')
/** Refs to the {@link forgedCommits} of a body: those that stand there, those that do not, and those that never come. */
const forgedRefs = fc.array(fc.nat(3 * 4 * 2 - 1), { maxLength: 6 })
const forgedOp: fc.Arbitrary<Value> = fc.oneof(
  fc.tuple(fc.constant('count'), fc.oneof(fc.integer(), fc.constant(Number.MAX_SAFE_INTEGER))),
  fc.tuple(fc.constant('note'), fc.tuple(fc.constant(0), fc.string(), forgedRefs)),
  fc.tuple(fc.constant('tags'), fc.tuple(fc.constantFrom(1, 2), place, forgedRefs)),
  fc.tuple(fc.constant('items'), fc.tuple(fc.constant(3), place, fc.integer())),
  fc.tuple(fc.constant('items'), fc.tuple(fc.constant(4), place, forgedRefs)),
  fc.tuple(
    fc.constant('cards'),
    fc.tuple(
      fc.constant(3),
      place,
      fc.tuple(fc.constant('title'), fc.tuple(fc.constant(0), place, forgedRefs)),
    ),
  ),
  fc.tuple(
    fc.constant('cards'),
    fc.tuple(
      fc.constant(4),
      place,
      fc
        .tuple(forgedRefs, forgedRefs, place, forgedRefs)
        .map(([title, votes, label, labels]): Value => [
          'title',
          title,
          'votes',
          votes,
          'labels',
          [label, labels],
          'unheard-of',
          0,
        ]),
    ),
  ),
)
const forgedBody = fc.record({ session: fc.nat(2), ops: fc.array(forgedOp, { maxLength: 3 }) })

/** The bodies in a random order, except that each session's stay in their own. */
function inSessionOrder(
  bodies: readonly { readonly session: number; readonly ops: readonly Value[] }[],
  choices: IterableIterator<number>,
): Body[] {
  const queues = [0, 1, 2].map((n) =>
    bodies
      .filter(({ session }) => session === n)
      .map(({ ops }, i): Body => ({
        origin: {
          device: deviceId,
          session: sessionId(n),
          seq: i + 1,
          time: { ms: n, counter: 0 },
        },
        prefix: `${n}${i + 1}`.repeat(8),
        bytes: encodeCanonical([forgedCommits(n), ops]),
      })),
  )
  const order: Body[] = []
  while (order.length < bodies.length) {
    const waiting = queues.filter((queue) => queue.length > 0)
    order.push(waiting[choices.next().value! % waiting.length]!.shift()!)
  }
  return order
}

/** The first four commits of the other sessions, one of which nobody has, each with the prefix that it has and with another one. */
const forgedCommits = (own: number): Value[] =>
  [0, 1, 2, 9]
    .filter((session) => session !== own)
    .flatMap((session) =>
      [1, 2, 3, 4].flatMap((seq) =>
        [`${session}${seq}`, 'ff'].flatMap((prefix): Value[] => [
          fromHex(sessionId(session)),
          seq,
          fromHex(prefix.repeat(8)),
        ]),
      ),
    )
