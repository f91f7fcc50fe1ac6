import {
  compareBytes,
  encodeCanonical,
  equalData,
  fromHex,
  type Body,
  type DeviceId,
  type Draft,
  type EntityState,
  type Origin,
  type SessionId,
  type Shape,
  type StateModel,
  type Value,
} from '@peerplane/core'
import { bodyAt, rounds } from '@peerplane/core/testing'
import fc from 'fast-check'
import { expect } from 'vitest'

import { chained, naive } from './naive.fixture.test.ts'
import { nativeModel } from './native-model.ts'

/** What a command does to the handle of its state. */
export type Change<Handle> = (state: Handle, draft: Draft) => void

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

/**
 * Has replicas run random commands on one entity, receive each other's in random causal orders, and restart between any two bodies. What they show is
 * compared with the state by definition.
 */
export async function convergeByCommands<Handle>(
  shapes: Shape<Handle> | fc.Arbitrary<Shape<Handle>>,
  changeOf: (shape: Shape<Handle>) => fc.Arbitrary<Change<Handle>>,
): Promise<void> {
  const played = eachShape(shapes, (shape) => fc.array(stepOf(changeOf(shape)), { maxLength: 40 }))
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 3, max: 5 }),
      played,
      fc.infiniteStream(fc.nat()),
      async (count, [shape, steps], choices) => {
        const model = nativeModel(shape)
        const replicas = await Promise.all(
          Array.from({ length: count }, (_, i) => replica(model, i)),
        )
        const sent: Sent[] = []
        for (const each of steps) {
          const one = replicas[each.replica % count]!
          if (each.do === 'command') sent.push(...command(one, each.changes, each.ms))
          if (each.do === 'deliver') deliver(one, sent, each.choice)
          if (each.do === 'reopen') await reopen(model, one)
          expectEqual(one.state.mirror, naive(shape, one.bodies))
        }
        for (const one of replicas) while (deliver(one, sent, choices.next().value)) void 0
        const [first, ...others] = replicas.map(({ state }) => state)
        expectEqual(first!.mirror, naive(shape, sent))
        for (const other of others) {
          expectEqual(other.mirror, first!.mirror)
          expectBytes(other.snapshot(), first!.snapshot())
        }
      },
    ),
    { numRuns: rounds(1000) },
  )
}

/** Folds random ops, also such as no handle writes, in two random orders, with restarts. The states are equal, and as the definition says. */
export async function convergeByForgedOps(
  shapes: Shape | fc.Arbitrary<Shape>,
  forgedOf: (shape: Shape) => fc.Arbitrary<Value>,
): Promise<void> {
  const written = eachShape(shapes, (shape) =>
    fc.array(bodyOf(forgedOf(shape)), { minLength: 2, maxLength: 14 }),
  )
  await fc.assert(
    fc.asyncProperty(
      written,
      fc.infiniteStream(fc.nat()),
      fc.infiniteStream(fc.nat()),
      async ([shape, forged], someOrder, otherOrder) => {
        const model = nativeModel(shape)
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
        expectEqual(isVoid.size, voids)
        expectEqual([one.problem, other.problem], [undefined, undefined])
        const effective = bodies.flat().filter((body) => !isVoid.has(body))
        expectEqual(one.mirror, naive(shape, effective))
        expectEqual(other.mirror, one.mirror)
        expectBytes(other.snapshot(), one.snapshot())
        expectBytes((await model.open(one.snapshot())).snapshot(), one.snapshot())
      },
    ),
    { numRuns: rounds(1000) },
  )
}

/** Comparing with `expect` takes longer than all else that a case does. */
function expectEqual(value: unknown, due: unknown): void {
  if (!equalData(value, due)) expect(value).toEqual(due)
}

function expectBytes(bytes: Uint8Array, due: Uint8Array): void {
  if (compareBytes(bytes, due) !== 0) expect(bytes).toEqual(due)
}

/** A shape, and what is done to a state of this shape. */
const eachShape = <Handle, T>(
  shapes: Shape<Handle> | fc.Arbitrary<Shape<Handle>>,
  done: (shape: Shape<Handle>) => fc.Arbitrary<T>,
): fc.Arbitrary<readonly [Shape<Handle>, T]> =>
  'kind' in shapes
    ? fc.tuple(fc.constant(shapes), done(shapes))
    : shapes.chain((shape) => fc.tuple(fc.constant(shape), done(shape)))

const stepOf = <Handle>(change: fc.Arbitrary<Change<Handle>>) =>
  fc.oneof(
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

const deviceId = (n: number): DeviceId => `d${n}`.repeat(32) as DeviceId
const sessionId = (device: number, n: number): SessionId =>
  `${n}${device}`.padStart(32, '0') as SessionId

async function replica(model: StateModel, n: number): Promise<Replica> {
  return {
    device: deviceId(n),
    state: await model.open(undefined),
    sessions: [sessionId(n, 1)],
    delivered: new Map(),
    bodies: [],
  }
}

async function reopen(model: StateModel, replica: Replica): Promise<void> {
  const { sessions, state } = replica
  const last = sessions.at(-1)!
  replica.state = await model.open(state.snapshot())
  if (replica.delivered.has(last)) {
    sessions.push(sessionId(Number(replica.device[1]), sessions.length + 1))
  }
}

function command<Handle>(replica: Replica, changes: readonly Change<Handle>[], ms: number): Sent[] {
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
  for (const each of changes) each(rehearsal.handle as Handle, rehearsal)
  expectEqual(Object.isFrozen(state.mirror), true)
  rehearsal.revert()
  expectBytes(state.snapshot(), before)
  expectEqual(state.mirror === mirror, true)

  const draft = state.begin(origin)
  for (const each of changes) each(draft.handle as Handle, draft)
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
  expectEqual(state.fold([next]), [])
  expectEqual(state.fold([next]), [])
  delivered.set(next.origin.session, next.origin.seq)
  bodies.push(next)
  return true
}

/** Refs to the {@link forgedCommits} of a body: those that stand there, those that do not, and those that never come. */
export const forgedRefs = fc.array(fc.nat(3 * 4 * 2 - 1), { maxLength: 6 })
interface Forged {
  readonly session: number
  readonly ops: readonly Value[]
  readonly generation: readonly number[]
  readonly ms: number
}
const bodyOf = (forgedOp: fc.Arbitrary<Value>): fc.Arbitrary<Forged> =>
  fc.record({
    session: fc.nat(2),
    ops: fc.oneof(
      { weight: 6, arbitrary: fc.array(forgedOp, { maxLength: 3 }) },
      {
        weight: 1,
        arbitrary: fc.oneof(forgedRefs, fc.constant(null)).map((names): Value[] => [[6, names]]),
      },
    ),
    generation: fc.constantFrom<readonly number[]>(
      [],
      [],
      [],
      [],
      [1],
      [2],
      [Number.MAX_SAFE_INTEGER],
    ),
    ms: fc.nat(3),
  })

/** The bodies of three sessions; the last is of the device of the first, and comes after its first commit. */
function forgedBodies(forged: readonly Forged[]): Body[][] {
  return [0, 1, 2].map((n) =>
    forged
      .filter(({ session }) => session === n)
      .map(({ ops, generation, ms }, i): Body => {
        const origin: Origin = {
          device: deviceId(n % 2),
          session: sessionId(0, n),
          seq: i + 1,
          time: { ms, counter: 0 },
          lineage: chained(n === 2 ? [sessionId(0, 0)] : [], () => 1)!,
        }
        const bytes = encodeCanonical([forgedCommits(n), ops, ...generation])
        return { origin, prefix: `${n}${(i + 1) % 10}`.repeat(8), bytes }
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
