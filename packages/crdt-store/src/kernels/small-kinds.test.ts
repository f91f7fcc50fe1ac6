import {
  encodeCanonical,
  equalData,
  flag,
  fromHex,
  jsonToValue,
  growOnlyCounter,
  growOnlySet,
  map,
  multiValueRegister,
  record,
  register,
  toHex,
  vote,
  type AutoIncrementHandle,
  type Body,
  type CustomClockHandle,
  type DeviceId,
  type EntityState,
  type FlagHandle,
  type FlagWins,
  type GrowOnlyCounterHandle,
  type GrowOnlySetHandle,
  type Json,
  type Lineage,
  type MapHandle,
  type MultiValueRegisterHandle,
  type Origin,
  type RegisterClock,
  type RegisterHandle,
  type SessionId,
  type Shape,
  type Value,
  type VoteHandle,
  type Votes,
} from '@peerplane/core'
import { bodyAt, rounds } from '@peerplane/core/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { naive } from './naive.fixture.test.ts'
import { nativeModel } from './native-model.ts'

/*
 * Replicas run random commands on one place, restart, and receive each other's commits and those of hostile members, in any order in which a
 * session comes after its parents, and some twice. What they show is compared with the state by definition.
 */

interface Kind {
  readonly shape: Shape
  /** What a handler does, and whether its handle shows it at once. */
  readonly call: (handle: never, n: number) => boolean | void
  /** Whether a replica shows what its command asked for. */
  readonly isDone: (after: Json, n: number, before: Json, self: DeviceId) => boolean
  /** A valid op of a member that may be hostile. */
  readonly forge: (n: number, names: Value) => Value
  /** What makes a body void. */
  readonly broken: readonly Value[]
  /** Valid ops for places that are declared in another way. */
  readonly others?: readonly Value[]
}

const most = Number.MAX_SAFE_INTEGER
const values: readonly Json[] = [
  'a',
  7,
  null,
  true,
  [1, ['x']],
  { b: 1, a: [] },
  -0.5,
  '\uFFFF',
  '',
  '\u{10000}',
  { $bytes: 'AP8' },
  [{ $bytes: '' }, { $bytes: 'AA', more: 1 }],
]
const valueOf = (n: number): Json => values[n % values.length]!
/** The same as ops hold it. */
const wireOf = (n: number): Value => jsonToValue(valueOf(n))
const has = (list: Json, value: Json): boolean =>
  (list as readonly Json[]).some((each) => equalData(each, value))

const clocks = [0, 1, 2, 3, most - 1, most]

const registerKind = (
  clock: RegisterClock,
  after: readonly Value[],
  call: Kind['call'],
  isDone: Kind['isDone'] = (shown, n) => equalData(shown, valueOf(n)),
): Kind => ({
  shape: register<Json, RegisterClock>('initial', { clock }),
  call,
  isDone,
  forge: (n, names) => [
    0,
    wireOf(n),
    names,
    ...after.slice(n % Math.max(1, after.length)).slice(0, 1),
  ],
  broken: [
    [0, 'a', [99], ...after.slice(0, 1)],
    [0, { $bytes: 'AA' }, [], ...after.slice(0, 1)],
    ...(clock.startsWith('custom') ? [1.5, -1, 2 ** 53, '1'] : []).map((each) => [
      0,
      'a',
      [],
      each,
    ]),
    [0, 'a'],
  ],
  others: [
    [0, 'a', []],
    [0, 'a', [], null],
    [0, 'a', [], 5],
    [0, 'a', [], 1.5],
  ].filter((each) => formOf(each) !== formOf([0, 'a', [], ...after])),
})

/** What comes after the names. */
const formOf = (op: readonly Value[]): string => (op[3] === null ? 'null' : typeof op[3])

const flagKind = (wins: FlagWins, on: number, off: number): Kind => ({
  shape: flag({ wins }),
  call: (handle: FlagHandle, n) => (n % 2 === 0 ? handle.enable() : handle.disable()),
  isDone: (after, n) => after === (n % 2 === 0),
  forge: (n, names) => [n % 2 === 0 ? on : off, names],
  broken: [[on, [99]], [off, null], [on]],
  others: [
    [wins === 'enable' ? 22 : 20, []],
    [wins === 'enable' ? 23 : 21, []],
  ],
})

const kinds: { readonly [name: string]: Kind } = {
  'grow-only counter': {
    shape: growOnlyCounter(),
    call: (handle: GrowOnlyCounterHandle, n) => {
      if (handle.value + (n % 4) <= most) handle.increment(n % 4)
    },
    isDone: (after, n, before) => after === Math.min(most, (before as number) + (n % 4)),
    forge: (n) => [26, n % 7 === 0 ? most : n % 5],
    broken: [[26, -1], [26, 0.5], [26, '1'], [26, 2 ** 53], [26]],
  },
  'grow-only set': {
    shape: growOnlySet<Json>(),
    call: (handle: GrowOnlySetHandle<Json>, n) => handle.add(valueOf(n)),
    isDone: (after, n) => has(after, valueOf(n)),
    forge: (n) => [27, wireOf(n)],
    broken: [[27], [27, { $bytes: 'AA' }], [27, 'a', 'b']],
  },
  flag: flagKind('enable', 20, 21),
  'flag that disabling wins': flagKind('disable', 22, 23),
  vote: {
    shape: vote(),
    call: (handle: VoteHandle, n) => handle.vote(n % 2 === 0),
    isDone: (after, n, _, self) => (after as Votes)[self] === (n % 2 === 0),
    forge: (n) => [24, n % 2 === 0],
    broken: [[24, 1], [24, null], [24]],
  },
  'multi-value register': {
    shape: multiValueRegister<Json>('initial'),
    call: (handle: MultiValueRegisterHandle<Json>, n) => handle.set(valueOf(n)),
    isDone: (after, n) => equalData(after, [valueOf(n)]),
    forge: (n, names) => [25, wireOf(n), names],
    broken: [
      [25, 'a', [99]],
      [25, [{ $bytes: 'AA' }], []],
      [25, 'a'],
    ],
  },
  register: registerKind('default', [], (handle: RegisterHandle<Json>, n) =>
    handle.set(valueOf(n)),
  ),
  'register with the reverse clock': registerKind(
    'reverse',
    [null],
    (handle: RegisterHandle<Json>, n) => handle.set(valueOf(n)),
    (after, n, before) => equalData(after, before === 'initial' ? valueOf(n) : before),
  ),
  'register with a custom clock': registerKind(
    'custom',
    clocks,
    (handle: CustomClockHandle<Json>, n) => {
      const { value, clock = 0 } = handle
      handle.set(valueOf(n), clocks[n % 5]!)
      return equalData(handle.value, clocks[n % 5]! < clock ? value : valueOf(n))
    },
    (after, n, before) => equalData(after, valueOf(n)) || equalData(after, before),
  ),
  'register with a clock that increments itself': registerKind(
    'custom-auto-increment',
    clocks,
    (handle: AutoIncrementHandle<Json>, n) => {
      const { value, clock = -1 } = handle
      if (n % 3 === 0) handle.set(valueOf(n))
      else handle.set(valueOf(n), clocks[n % 5]!)
      return equalData(value, valueOf(n)) || clock === most || handle.clock! > clock
    },
  ),
}

/** Where the kind is: at the root of an entity, or below keys. */
interface Place {
  readonly shape: (inner: Shape) => Shape
  readonly handle: (root: never, n: number) => object
  readonly op: (op: Value, n: number) => Value
}
type Cards = MapHandle<{ readonly part: object }>
const keyOf = (n: number): string => `k${n % 2}`

const places: { readonly [name: string]: Place } = {
  'an entity': { shape: (inner) => inner, handle: (root) => root, op: (op) => op },
  'a record in a map': {
    shape: (inner) => map(record({ part: inner })),
    handle: (root: Cards, n) => {
      if (n % 5 === 0) root.delete(keyOf(n))
      return root.get(keyOf(n)).part
    },
    op: (op, n) => (n % 9 === 0 ? [4, keyOf(n), null] : [3, keyOf(n), ['part', op]]),
  },
}

const cases = Object.entries(kinds).flatMap(([name, kind]) =>
  Object.entries(places).map(([where, place]) => [name, where, kind, place] as const),
)

describe('small kinds of state', () => {
  test.each(cases)(
    'what replicas show follows from the definition, with restarts and hostile members: %s as %s',
    async (_, where, kind, place) => {
      const isRoot = where === 'an entity'
      const model = nativeModel(place.shape(kind.shape))
      const open = (snapshot?: Uint8Array): Promise<EntityState> => model.open(snapshot)
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 3, max: 5 }),
          fc.array(step, { minLength: 4, maxLength: 16 }),
          fc.nat(),
          async (count, steps, seed) => {
            const states = await Promise.all(times(count, () => open()))
            const world = new World(kind, place, states, isRoot)
            for (const each of steps) {
              await world.take(each, open)
              world.expectShown(each.who % count)
            }
            world.deliverAll(seed)
          },
        ),
        { numRuns: rounds(isRoot ? 1000 : 300) },
      )
    },
  )
})

const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i))

interface Step {
  readonly what: number
  readonly who: number
  readonly n: number
  readonly ms: number
}
const step: fc.Arbitrary<Step> = fc.record({
  what: fc.nat(19),
  who: fc.nat(59),
  n: fc.nat(999),
  ms: fc.nat(5),
})

/** Comparing with `expect` takes longer than all else that a case does. */
function expectEqual(value: unknown, due: unknown): void {
  if (JSON.stringify(value) !== JSON.stringify(due)) expect(value).toEqual(due)
}

/** A session, and up to which commit it comes after other sessions of its device. */
interface Written {
  readonly id: SessionId
  readonly device: DeviceId
  readonly lineage: Lineage
  readonly parents: ReadonlyMap<SessionId, number>
  commits: number
}
interface Sent {
  readonly body: Body
  readonly parents: ReadonlyMap<SessionId, number>
  /** The body without what has no effect; `undefined` if it is void. */
  readonly effective: Body | undefined
}
interface Replica {
  state: EntityState
  session: Written
  readonly folded: Set<Sent>
  /** The latest time that its clock has seen. */
  ms: number
  readonly seen: Map<SessionId, number>
}

const HOSTILE = 100
const FAR_AHEAD = 2 ** 45
const deviceId = (n: number): DeviceId => n.toString(16).padStart(4, '0').repeat(16) as DeviceId

class World {
  readonly #kind: Kind
  readonly #place: Place
  readonly #isRoot: boolean
  readonly #replicas: Replica[]
  readonly #hostile: Written[]
  readonly #sent: Sent[] = []
  #sessions = 0

  constructor(kind: Kind, place: Place, states: readonly EntityState[], isRoot: boolean) {
    this.#kind = kind
    this.#place = place
    this.#isRoot = isRoot
    this.#replicas = states.map((state, i) => ({
      state,
      session: this.#session(deviceId(i), []),
      folded: new Set(),
      ms: 0,
      seen: new Map(),
    }))
    // Two devices, the first with sessions that do not know of each other, and one that comes after one of them, whatever its clock says.
    this.#hostile = [HOSTILE, HOSTILE, HOSTILE + 1].map((n) => this.#session(deviceId(n), []))
    this.#hostile.push(this.#session(deviceId(HOSTILE), this.#hostile.slice(0, 1)))
  }

  async take(
    { what, who, n, ms }: Step,
    open: (snapshot: Uint8Array) => Promise<EntityState>,
  ): Promise<void> {
    const replica = this.#replicas[who % this.#replicas.length]!
    if (what < 6) this.#command(replica, n, ms)
    else if (what < 12) this.#deliver(replica, n)
    else if (what < 17) this.#forge(who % 4, n, ms)
    else {
      replica.state = await open(replica.state.snapshot())
      const { session } = replica
      // A session begins with its first commit.
      if (what < 19 && session.commits > 0) {
        replica.session = this.#session(session.device, [session])
      }
    }
  }

  expectShown(at: number): void {
    const { state, folded } = this.#replicas[at]!
    const bodies = [...folded].flatMap(({ effective }) => effective ?? [])
    const [shown, due] = [state.mirror, naive(this.#place.shape(this.#kind.shape), bodies)]
    // The keys of a map may come in another order than by definition.
    if (this.#isRoot) expectEqual(JSON.stringify(shown), JSON.stringify(due))
    else expectEqual(shown, due)
  }

  /** Everybody receives everything; then all show and keep the same. */
  deliverAll(seed: number): void {
    let choice = seed
    const snapshots = this.#replicas.map((replica, i) => {
      while (this.#deliver(replica, choice)) choice = (choice * 48271) % 2147483647
      this.expectShown(i)
      return toHex(replica.state.snapshot())
    })
    expectEqual(new Set(snapshots).size, 1)
  }

  #session(device: DeviceId, after: readonly Written[]): Written {
    const id = ((++this.#sessions * 2654435761) % 2 ** 32)
      .toString(16)
      .padStart(32, '0') as SessionId
    const parents = new Map(after.map((each) => [each.id, each.commits]))
    const lineage = {
      hasParents: after.length > 0,
      start: this.#sessions,
      covers: (session: SessionId, seq: number) =>
        seq <= (parents.get(session) ?? 0) ||
        after.some((each) => each.lineage.covers(session, seq)),
    }
    return { id, device, lineage, parents, commits: 0 }
  }

  #originOf({ id, device, lineage, commits }: Written, ms: number): Origin {
    return { device, session: id, seq: commits + 1, time: { ms, counter: 0 }, lineage }
  }

  #command(replica: Replica, n: number, ms: number): void {
    const { state, session } = replica
    const before = state.mirror
    replica.ms += 1 + (ms % 2)
    const origin = this.#originOf(session, replica.ms)
    const run = (): ReturnType<EntityState['begin']> => {
      const draft = state.begin(origin)
      const isRight = this.#kind.call(this.#place.handle(draft.handle as never, n) as never, n)
      // Below a key, an entry may come back that was hidden while the handler looked.
      if (this.#isRoot && isRight === false) throw new Error('a handle does not show its change')
      return draft
    }
    if (n % 4 === 0) {
      const snapshot = toHex(state.snapshot())
      run().revert()
      expectEqual([state.mirror === before, toHex(state.snapshot())], [true, snapshot])
    }
    const bytes = run().finish()
    if (this.#isRoot && !this.#kind.isDone(state.mirror, n, before, session.device)) {
      expectEqual({ before, n, after: state.mirror }, 'what the command asked for')
    }
    if (!bytes) return
    const body = bodyAt(origin, bytes)
    state.identify(body)
    this.#keep(replica, this.#send(session, body, body))
  }

  /** A body of a hostile session: it names any commits, and may break a rule, or be about another kind. */
  #forge(which: number, n: number, ms: number): void {
    const session = this.#hostile[which]!
    const origin = this.#originOf(session, [0, ms, 2 * ms, FAR_AHEAD][n % 4]!)
    const others = this.#sent.filter(({ body }) => body.origin.session !== session.id)
    const commits = times(Math.min(3, others.length), (i) => others[(n + i * 7) % others.length]!)
    const list = commits.flatMap(({ body }, i): Value[] => [
      fromHex(body.origin.session),
      body.origin.seq,
      // A commit that differs from the one that is there.
      i === 2 ? new Uint8Array(8) : fromHex(body.prefix),
    ])
    const names = times(n % (commits.length + 1), (i) => i)
    const forged = times(1 + (n % 3), (i) => this.#place.op(this.#kind.forge(n + i, names), n + i))
    const strangers = this.#kind.others ?? [['another', 1]]
    const other = n % 5 === 1 ? [this.#place.op(strangers[n % strangers.length]!, 1)] : []
    const isVoid = n % 7 === 3
    const broken = isVoid ? [this.#kind.broken[n % this.#kind.broken.length]!] : []
    const ops = [...forged, ...other, ...broken.map((op) => this.#place.op(op, 1))]
    const body = bodyAt(origin, encodeCanonical([list, ops]))
    const effective = { ...body, bytes: encodeCanonical([list, forged]) }
    this.#send(session, body, isVoid ? undefined : effective)
  }

  #send(session: Written, body: Body, effective: Body | undefined): Sent {
    session.commits++
    const { parents } = session
    const sent = { body, parents, effective }
    this.#sent.push(sent)
    return sent
  }

  #deliver(replica: Replica, choice: number): boolean {
    const seen = (session: SessionId): number => replica.seen.get(session) ?? 0
    const ready = this.#sent.filter(
      ({ body, parents }) =>
        body.origin.seq === seen(body.origin.session) + 1 &&
        [...parents].every(([session, seq]) => seen(session) >= seq),
    )
    const next = ready[choice % ready.length]
    if (!next) return false
    const named = replica.state.fold([next.body])
    // Once more: no effect.
    replica.state.fold([next.body, ...[...replica.folded].slice(0, 1).map(({ body }) => body)])
    expectEqual(named.length, next.effective ? 0 : 1)
    this.#keep(replica, next)
    return true
  }

  #keep(replica: Replica, sent: Sent): void {
    replica.folded.add(sent)
    const { ms } = sent.body.origin.time
    if (ms < FAR_AHEAD) replica.ms = Math.max(replica.ms, ms)
    replica.seen.set(sent.body.origin.session, sent.body.origin.seq)
  }
}
