import {
  counter,
  encodeCanonical,
  fromHex,
  map,
  record,
  register,
  set,
  type Body,
  type DeviceId,
  type EntityState,
  type HandleOf,
  type Origin,
  type SessionId,
  type Value,
} from '@peerplane/core'
import { bodyAt } from '@peerplane/core/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { chained, naive } from './naive.fixture.test.ts'
import { nativeModel } from './native-model.ts'

/*
 * Replicas run random commands on one entity, receive each other's in random causal orders, and restart between any two bodies. What they show is
 * compared with the state by definition.
 */

const shape = record({
  count: counter(),
  note: register(''),
  tags: set<string | number>(),
  items: map(counter()),
  cards: map(
    record({ title: register(''), votes: counter(), labels: set(), parts: map(register('')) }),
  ),
  strict: map(set(), { wins: 'removal' }),
})
type Handle = HandleOf<typeof shape>
const model = nativeModel(shape)

interface Sent extends Body {
  readonly deps: ReadonlyMap<SessionId, number>
}
interface Replica {
  readonly device: DeviceId
  state: EntityState
  /** All sessions of its device, of which it writes the last. */
  readonly sessions: SessionId[]
  readonly delivered: Map<SessionId, number>
  readonly bodies: Body[]
}

const key = fc.constantFrom('a', '__proto__', '7')
const text = fc.string({ unit: 'grapheme', maxLength: 3 })
const element = fc.constantFrom<string | number>('p', '__proto__', 7)
type Change = (state: Handle) => void
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.integer({ min: -3, max: 5 }).map((by) => (state: Handle) => state.count.increment(by)),
  text.map((value) => (state: Handle) => state.note.set(value)),
  element.map((each) => (state: Handle) => state.tags.add(each)),
  element.map((each) => (state: Handle) => state.tags.delete(each)),
  changeAt(fc.integer({ min: -1, max: 1 }), (k, by) => (state) => state.items.get(k).increment(by)),
  changeAt(fc.constant(0), (k) => (state) => state.items.delete(k)),
  changeAt(fc.constant(0), (k) => (state) => state.items.add(k)),
  changeAt(text, (k, value) => (state) => state.cards.get(k).title.set(value)),
  changeAt(fc.constant(1), (k, by) => (state) => state.cards.get(k).votes.increment(by)),
  changeAt(key, (k, label) => (state) => state.cards.get(k).labels.add(label)),
  changeAt(key, (k, label) => (state) => state.cards.get(k).labels.delete(label)),
  changeAt(text, (k, value) => (state) => state.cards.get(k).parts.get('x').set(value)),
  changeAt(fc.constant(0), (k) => (state) => state.cards.get(k).parts.delete('x')),
  changeAt(fc.constant(0), (k) => (state) => state.cards.delete(k)),
  changeAt(fc.constant(0), (k) => (state) => state.cards.add(k)),
  changeAt(key, (k, each) => (state) => state.strict.get(k).add(each)),
  changeAt(fc.constant(0), (k) => (state) => state.strict.delete(k)),
)

const step = fc.oneof(
  fc.record({
    do: fc.constant('command' as const),
    replica: fc.nat(4),
    changes: fc.array(change, { minLength: 1, maxLength: 4 }),
    ms: fc.nat(5),
  }),
  fc.record({ do: fc.constant('deliver' as const), replica: fc.nat(4), choice: fc.nat() }),
  fc.record({ do: fc.constant('deliver' as const), replica: fc.nat(4), choice: fc.nat() }),
  fc.record({ do: fc.constant('reopen' as const), replica: fc.nat(4) }),
)

describe('replicas with native state', () => {
  test('converge to what the definition says, byte for byte, in whatever causal order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 3, max: 5 }),
        fc.array(step, { maxLength: 40 }),
        fc.infiniteStream(fc.nat()),
        async (count, steps, choices) => {
          const replicas = await Promise.all(Array.from({ length: count }, (_, i) => replica(i)))
          const sent: Sent[] = []
          for (const each of steps) {
            const one = replicas[each.replica % count]!
            if (each.do === 'command') sent.push(...command(one, each.changes, each.ms))
            if (each.do === 'deliver') deliver(one, sent, each.choice)
            if (each.do === 'reopen') await reopen(one)
            expect(one.state.mirror).toEqual(naive(shape, one.bodies))
          }
          for (const one of replicas) while (deliver(one, sent, choices.next().value)) void 0
          const [first, ...others] = replicas.map(({ state }) => state)
          expect(first!.mirror).toEqual(naive(shape, sent))
          for (const other of others) {
            expect(other.mirror).toEqual(first!.mirror)
            expect(other.snapshot()).toEqual(first!.snapshot())
          }
        },
      ),
      { numRuns: 1000 },
    )
  })

  test('converge also when bodies name commits that they cannot know, break rules, and jump generations', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(forgedBody, { minLength: 2, maxLength: 14 }),
        fc.infiniteStream(fc.nat()),
        fc.infiniteStream(fc.nat()),
        async (forged, someOrder, otherOrder) => {
          const bodies = forgedBodies(forged)
          const isVoid = new Set<Body>()
          const fold = async (order: IterableIterator<number>): Promise<EntityState> => {
            let state = await model.open(undefined)
            for (const body of inSessionOrder(bodies, order)) {
              for (const each of state.fold([body])) isVoid.add(each)
              if (order.next().value! % 4 === 0) state = await model.open(state.snapshot())
            }
            return state
          }
          const one = await fold(someOrder)
          const voids = isVoid.size
          const other = await fold(otherOrder)
          expect(isVoid.size).toBe(voids)
          expect([one.problem, other.problem]).toEqual([undefined, undefined])
          const effective = bodies.flat().filter((body) => !isVoid.has(body))
          expect(one.mirror).toEqual(naive(shape, effective))
          expect(other.mirror).toEqual(one.mirror)
          expect(other.snapshot()).toEqual(one.snapshot())
          expect((await model.open(one.snapshot())).snapshot()).toEqual(one.snapshot())
        },
      ),
      { numRuns: 1000 },
    )
  })
})

function changeAt<T>(
  value: fc.Arbitrary<T>,
  how: (key: string, value: T) => Change,
): fc.Arbitrary<Change> {
  return fc.tuple(key, value).map(([k, each]) => how(k, each))
}

const deviceId = (n: number): DeviceId => `d${n}`.repeat(32) as DeviceId
const sessionId = (device: number, n: number): SessionId =>
  `${n}${device}`.padStart(32, '0') as SessionId

async function replica(n: number): Promise<Replica> {
  return {
    device: deviceId(n),
    state: await model.open(undefined),
    sessions: [sessionId(n, 1)],
    delivered: new Map(),
    bodies: [],
  }
}

async function reopen(replica: Replica): Promise<void> {
  const { sessions, state } = replica
  const last = sessions.at(-1)!
  replica.state = await model.open(state.snapshot())
  if (replica.delivered.has(last)) {
    sessions.push(sessionId(Number(replica.device[1]), sessions.length + 1))
  }
}

function command(replica: Replica, changes: readonly Change[], ms: number): Sent[] {
  const { state, sessions, delivered, bodies } = replica
  const session = sessions.at(-1)!
  const reached = new Map(delivered)
  const origin: Origin = {
    device: replica.device,
    session,
    seq: (delivered.get(session) ?? 0) + 1,
    time: { ms, counter: delivered.get(session) ?? 0 },
    lineage: chained(sessions.slice(0, -1), (each) => reached.get(each) ?? 0)!,
  }
  const before = state.snapshot()
  const { mirror } = state
  const rehearsal = state.begin(origin)
  for (const each of changes) each(rehearsal.handle as Handle)
  expect(Object.isFrozen(state.mirror)).toBe(true)
  rehearsal.revert()
  expect(state.snapshot()).toEqual(before)
  expect(state.mirror).toBe(mirror)

  const draft = state.begin(origin)
  for (const each of changes) each(draft.handle as Handle)
  const deps = new Map(delivered)
  const bytes = draft.finish()
  if (!bytes) return []
  delivered.set(session, origin.seq)
  const body = bodyAt(origin, bytes)
  state.identify(body)
  bodies.push(body)
  return [{ ...body, deps }]
}

function deliver(replica: Replica, sent: readonly Sent[], choice: number): boolean {
  const { delivered, state, bodies } = replica
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
  bodies.push(next)
  return true
}

/** Refs to the {@link forgedCommits} of a body: those that stand there, those that do not, and those that never come. */
const forgedRefs = fc.array(fc.nat(3 * 4 * 2 - 1), { maxLength: 6 })
const place = fc.constantFrom('a', '__proto__')
const generation = fc.constantFrom<readonly number[]>(
  [],
  [],
  [],
  [1],
  [2],
  [Number.MAX_SAFE_INTEGER],
  [0],
)
const removed = fc.oneof(forgedRefs, fc.constant(null))
const withGeneration = (op: fc.Arbitrary<readonly unknown[]>): fc.Arbitrary<Value> =>
  fc.tuple(op, generation).map(([list, last]) => [...list, ...last] as Value)
const inField = (name: string, op: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  op.map((value) => [name, value])
const forgedRegister = fc.tuple(fc.constant(0), place, forgedRefs) as fc.Arbitrary<Value>
const forgedSet: fc.Arbitrary<Value> = fc.oneof(
  withGeneration(fc.tuple(fc.constant(1), place)),
  withGeneration(fc.tuple(fc.constant(2), place, removed)),
)
const forgedMap = (op: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  fc.oneof(
    withGeneration(fc.tuple(fc.constant(3), place, op)),
    withGeneration(fc.tuple(fc.constant(3), place, op)),
    withGeneration(fc.tuple(fc.constant(4), place, removed)),
    withGeneration(fc.tuple(fc.constant(5), place)),
  )
const forgedOp: fc.Arbitrary<Value> = fc.oneof(
  inField('count', fc.oneof(fc.integer(), fc.constant(0.5))),
  inField('note', forgedRegister),
  inField('tags', forgedSet),
  inField('items', forgedMap(fc.integer())),
  inField(
    'cards',
    forgedMap(
      fc.oneof(
        inField('title', forgedRegister),
        inField('labels', forgedSet),
        inField('parts', forgedMap(forgedRegister)),
        inField('unheard-of', fc.constant(0)),
      ),
    ),
  ),
)

interface Forged {
  readonly session: number
  readonly ops: readonly Value[]
  readonly ms: number
}
const forgedBody: fc.Arbitrary<Forged> = fc.record({
  session: fc.nat(2),
  ops: fc.array(forgedOp, { maxLength: 3 }),
  ms: fc.nat(3),
})

/** The bodies of three sessions; the last is of the device of the first, and comes after its first commit. */
function forgedBodies(forged: readonly Forged[]): Body[][] {
  return [0, 1, 2].map((n) =>
    forged
      .filter(({ session }) => session === n)
      .map(({ ops, ms }, i): Body => {
        const origin: Origin = {
          device: deviceId(n % 2),
          session: sessionId(0, n),
          seq: i + 1,
          time: { ms, counter: 0 },
          lineage: chained(n === 2 ? [sessionId(0, 0)] : [], () => 1)!,
        }
        const bytes = encodeCanonical([forgedCommits(n), ops])
        return { origin, prefix: `${n}${i + 1}`.repeat(8), bytes }
      }),
  )
}

/** The bodies in a random order, except that each session's stay in their own, and parents come first. */
function inSessionOrder(
  bodies: readonly (readonly Body[])[],
  choices: IterableIterator<number>,
): Body[] {
  const queues = bodies.map((each) => [...each])
  const order: Body[] = []
  const isReady = (queue: readonly Body[]): boolean =>
    queue.length > 0 && (queue !== queues[2] || queues[0]!.length < (bodies[0]!.length || 1))
  for (;;) {
    const ready = queues.filter(
      (queue) =>
        isReady(queue) || (queue === queues[2] && queue.length > 0 && bodies[0]!.length === 0),
    )
    if (ready.length === 0) return order
    order.push(ready[choices.next().value! % ready.length]!.shift()!)
  }
}

/** The first four commits of the other sessions, one of which nobody has, each with the prefix that it has and with another one. */
const forgedCommits = (own: number): Value[] =>
  [0, 1, 2, 9]
    .filter((session) => session !== own)
    .flatMap((session) =>
      [1, 2, 3, 4].flatMap((seq) =>
        [`${session}${seq}`, 'ff'].flatMap((prefix): Value[] => [
          fromHex(sessionId(0, session)),
          seq,
          fromHex(prefix.repeat(8)),
        ]),
      ),
    )
