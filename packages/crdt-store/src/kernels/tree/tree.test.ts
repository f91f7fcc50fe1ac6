import {
  decodeCanonical,
  encodeCanonical,
  fromHex,
  limits,
  record,
  register,
  Rejected,
  counter,
  tree,
  type Body,
  type DeviceId,
  type EntityState,
  type HandleOf,
  type MirrorOf,
  type Origin,
  type SessionId,
  type Value,
  type Where,
} from '@peerplane/core'
import { bodyAt, processorTime, rounds } from '@peerplane/core/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { chained, naive } from '../naive.fixture.test.ts'
import { nativeModel } from '../native-model.ts'

/*
 * Replicas insert, move, change and delete the nodes of one tree, and receive each other's commands in random causal orders. What they show is
 * compared with the definition, which is computed from the set of all bodies.
 */

const shape = tree(record({ title: register(''), votes: counter() }))
const model = nativeModel(shape)
type Handle = HandleOf<typeof shape>
type Shown = MirrorOf<typeof shape>

interface Replica {
  readonly device: DeviceId
  readonly sessions: SessionId[]
  readonly delivered: Map<SessionId, number>
  readonly bodies: Body[]
  /** Its clock goes on, and is behind or ahead of those of others. */
  ms: number
  state: EntityState
}
interface Sent extends Body {
  readonly deps: ReadonlyMap<SessionId, number>
}

const deviceId = (n: number): DeviceId => `d${n}`.repeat(32) as DeviceId
const sessionId = (device: number, n: number): SessionId =>
  `${n}${device}`.padEnd(32, '0') as SessionId

const replica = async (n: number): Promise<Replica> => ({
  device: deviceId(n),
  sessions: [sessionId(n, 1)],
  delivered: new Map(),
  bodies: [],
  ms: 0,
  state: await model.open(undefined),
})

function originOf({ device, sessions, delivered, ms }: Replica): Origin {
  const session = sessions.at(-1)!
  const reached = new Map(delivered)
  const seq = (delivered.get(session) ?? 0) + 1
  const lineage = chained(sessions.slice(0, -1), (each) => reached.get(each) ?? 0)!
  return { device, session, seq, time: { ms, counter: seq }, lineage }
}

function command(one: Replica, change: (handle: Handle) => void): Sent[] {
  const origin = originOf(one)
  const draft = one.state.begin(origin)
  change(draft.handle as Handle)
  const deps = new Map(one.delivered)
  const bytes = draft.finish()
  if (!bytes) return []
  const body = bodyAt(origin, bytes)
  one.state.identify(body)
  one.delivered.set(origin.session, origin.seq)
  one.bodies.push(body)
  return [{ ...body, deps }]
}

function deliver(one: Replica, sent: readonly Sent[], choice: number): boolean {
  const held = (session: SessionId): number => one.delivered.get(session) ?? 0
  const ready = sent.filter(
    ({ origin, deps }) =>
      origin.seq === held(origin.session) + 1 &&
      [...deps].every(([session, seq]) => held(session) >= seq),
  )
  const next = ready[choice % ready.length]
  if (!next) return false
  expect(one.state.fold([next])).toEqual([])
  one.delivered.set(next.origin.session, next.origin.seq)
  one.bodies.push(next)
  return true
}

async function reopen(one: Replica): Promise<void> {
  one.state = await model.open(one.state.snapshot())
  if (one.delivered.has(one.sessions.at(-1)!)) {
    one.sessions.push(sessionId(Number(one.device[1]), one.sessions.length + 1))
  }
}

const keysOf = (handle: Handle, parent?: string): string[] =>
  handle.children(parent).flatMap((key) => [key, ...keysOf(handle, key)])

const action = fc.record({
  do: fc.constantFrom('insert', 'insert', 'move', 'move', 'move', 'delete', 'set', 'vote'),
  at: fc.nat(),
  to: fc.nat(),
  where: fc.constantFrom('first', 'last', 'before', 'after'),
  beside: fc.nat(),
})
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never

/** Does something to a node, and returns its key; none if it is deleted or stays as it was. */
function act(handle: Handle, each: Action): string {
  const keys = keysOf(handle)
  const parent = keys[each.to % (keys.length + 1)]
  const siblings = handle.children(parent)
  const beside = siblings[each.beside % siblings.length]
  const where = ((): Where => {
    if (each.where === 'first' || each.where === 'last') return each.where
    if (beside === undefined) return 'last'
    return each.where === 'before' ? { before: beside } : { after: beside }
  })()
  const key = keys[each.at % keys.length]
  if (each.do === 'insert' || key === undefined) return handle.insert(parent, where).key
  if (each.do === 'delete') expectDelete(handle, key)
  else if (each.do === 'vote') handle.get(key).votes.increment()
  else if (each.do === 'set') handle.get(key).title.set(`${each.beside}`)
  else if (beside !== key) expectMove(handle, key, parent, where)
  return ['vote', 'set'].includes(each.do) ? key : ''
}

/** The keys that a replica shows. */
function shownKeys({ state }: Replica): string[] {
  const keysIn = (items: Shown): string[] =>
    items.flatMap(({ key, children }) => [key, ...keysIn(children)])
  return keysIn(state.mirror as unknown as Shown)
}

/** Deletes a node, and checks that all nodes but those below it stay where they are. */
function expectDelete(handle: Handle, key: string): void {
  const before = others(handle, key, keysOf(handle, key))
  handle.delete(key)
  expect(others(handle, key)).toEqual(before)
}

/** The children of all nodes but one, and those below it, without that one. */
const others = (
  handle: Handle,
  key: string,
  below: readonly string[] = [],
): ReadonlyMap<unknown, string[]> =>
  new Map(
    [undefined, ...keysOf(handle)]
      .filter((each) => each !== key && !below.includes(each!))
      .map((each) => [each, handle.children(each).filter((child) => child !== key)]),
  )

/** Moves a node, and checks that it is where it must be, and that no other node has moved. */
function expectMove(handle: Handle, key: string, parent: string | undefined, where: Where): void {
  const below = [key, ...keysOf(handle, key)]
  const before = others(handle, key)
  const rejection = rejectionOf(() => handle.move(key, parent, where))
  const isRefused = parent !== undefined && below.includes(parent)
  const siblings = handle.children(parent)
  const at = siblings.indexOf(key)
  const isThere = (): boolean => {
    if (where === 'first') return at === 0
    if (where === 'last') return at === siblings.length - 1
    return 'before' in where ? siblings[at + 1] === where.before : siblings[at - 1] === where.after
  }
  expect(rejection).toBe(isRefused ? 'cycle' : undefined)
  expect(isRefused || isThere()).toBe(true)
  expect(others(handle, key)).toEqual(before)
}

/** The rejection, or the code of the error, of something that must be refused. */
function rejectionOf(change: () => unknown): unknown {
  try {
    change()
    return undefined
  } catch (error) {
    return error instanceof Rejected ? error.rejection : (error as { code: string }).code
  }
}

/** Does some actions, takes them back, and then does them again. */
function commandTwice(one: Replica, { actions, ms }: Pick<Command, 'actions' | 'ms'>): Sent[] {
  one.ms += ms
  const change = (handle: Handle): void => actions.forEach((each) => void act(handle, each))
  const { mirror } = one.state
  const draft = one.state.begin(originOf(one))
  change(draft.handle as Handle)
  draft.revert()
  expect(one.state.mirror).toBe(mirror)
  return command(one, change)
}

interface Command {
  readonly do: 'command'
  readonly replica: number
  readonly actions: readonly Action[]
  readonly ms: number
}

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('command' as const),
      replica: fc.nat(4),
      actions: fc.array(action, { minLength: 1, maxLength: 3 }),
      ms: fc.nat(5),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('deliver' as const),
      replica: fc.nat(4),
      choice: fc.nat(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const), replica: fc.nat(4) }) },
)

describe('replicas of a tree', () => {
  test('converge to what the definition says, in whatever causal order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 3, max: 5 }),
        fc.integer({ min: 0, max: 4 }),
        fc.array(step, { minLength: 5, maxLength: 30, size: 'max' }),
        fc.infiniteStream(fc.nat()),
        async (count, nodes, steps, choices) => {
          const replicas = await Promise.all(Array.from({ length: count }, (_, i) => replica(i)))
          const sent: Sent[] = []
          for (let i = 0; i < nodes; i++) sent.push(...command(replicas[0]!, (t) => t.insert()))
          for (const one of replicas) while (deliver(one, sent, 0)) void 0
          for (const [i, each] of steps.entries()) {
            const one = replicas[each.replica % count]!
            if (each.do === 'deliver') deliver(one, sent, each.choice)
            else if (each.do === 'reopen') await reopen(one)
            else sent.push(...commandTwice(one, each))
            const bodies = i % 4 === 0 ? one.bodies : undefined
            expect(one.state.mirror).toEqual(bodies ? naive(shape, bodies) : one.state.mirror)
          }
          for (const one of replicas) while (deliver(one, sent, choices.next().value!)) void 0
          const [first, ...others] = replicas.map(({ state }) => state)
          expect(first!.mirror).toEqual(naive(shape, sent))
          for (const other of others) {
            expect(other.mirror).toEqual(first!.mirror)
            expect(other.snapshot()).toEqual(first!.snapshot())
          }
          expect((await model.open(first!.snapshot())).mirror).toEqual(first!.mirror)
        },
      ),
      { numRuns: rounds(300) },
    )
  })

  test('converge also where every move makes a cycle with moves of others', async () => {
    const move = fc.record({ at: fc.nat(), to: fc.nat() })
    const round = fc.record({
      moves: fc.array(move, { minLength: 3, maxLength: 3 }),
      delivered: fc.nat(6),
      isReopened: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(round, { minLength: 2, maxLength: 8, size: 'max' }),
        fc.infiniteStream(fc.nat()),
        async (played, choices) => {
          const replicas = await Promise.all([0, 1, 2].map((n) => replica(n)))
          const sent = [0, 1, 2, 3].flatMap(() => command(replicas[0]!, (t) => t.insert()))
          for (const one of replicas) while (deliver(one, sent, 0)) void 0
          for (const { moves, delivered, isReopened } of played) {
            for (const [i, { at, to }] of moves.entries()) {
              replicas[i]!.ms += at % 3
              const change = (handle: Handle): void => {
                const keys = keysOf(handle)
                expectMove(handle, keys[at % 4]!, [...keys, undefined][to % 5], 'last')
              }
              sent.push(...command(replicas[i]!, change))
              for (let n = 0; n < delivered; n++) deliver(replicas[i]!, sent, choices.next().value!)
            }
            if (isReopened) await reopen(replicas[0]!)
          }
          for (const one of replicas) while (deliver(one, sent, choices.next().value!)) void 0
          for (const { state } of replicas) {
            expect(state.mirror).toEqual(naive(shape, sent))
            expect(state.snapshot()).toEqual(replicas[0]!.state.snapshot())
          }
        },
      ),
      { numRuns: rounds(400) },
    )
  })

  test('lose no change that a deletion did not see', async () => {
    const actions = fc.array(action, { minLength: 1, maxLength: 4, size: 'max' })
    const round = fc.array(actions, { minLength: 3, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(round, { minLength: 1, maxLength: 6, size: 'max' }),
        async (played) => {
          const { all, sent } = await withNodes(3, { a: top, b: 'a', c: 'b', d: top, e: 'd' })
          for (const each of played) {
            const kept = new Set<string>()
            for (const [i, list] of each.entries()) {
              const one = all[i]!
              const changed = new Set<string>()
              for (const single of list) {
                sent.push(...command(one, (t) => void changed.add(act(t, single))))
              }
              // What it deleted afterwards itself may go.
              for (const key of shownKeys(one)) if (changed.has(key)) kept.add(key)
            }
            exchange(all, sent)
            const shown = shownKeys(all[0]!)
            for (const key of kept) expect(shown).toContain(key)
          }
        },
      ),
      { numRuns: rounds(400) },
    )
  })

  test('converge also when bodies name nodes and commits that they cannot know, and break rules', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(forged, { minLength: 2, maxLength: 14, size: 'max' }),
        fc.infiniteStream(fc.nat()),
        fc.infiniteStream(fc.nat()),
        async (written, someOrder, otherOrder) => {
          const bodies = forgedBodies(written)
          const isVoid = new Set<Body>()
          const fold = async (order: IterableIterator<number>): Promise<EntityState> => {
            let state = await model.open(undefined)
            for (const body of inSomeOrder(bodies, order)) {
              for (const each of state.fold([body])) isVoid.add(each)
              const choice = order.next().value! % 4
              if (choice === 0) state = await model.open(state.snapshot())
              // Looking brings all nodes to their places.
              const looks = choice < 2 ? [state.mirror, state.mirror] : []
              expect(looks[0]).toBe(looks[1])
            }
            return state
          }
          const one = await fold(someOrder)
          const voids = isVoid.size
          const other = await fold(otherOrder)
          expect(isVoid.size).toBe(voids)
          const effective = bodies.flat().filter((body) => !isVoid.has(body))
          expect(one.mirror).toEqual(naive(shape, effective))
          expect(other.mirror).toEqual(one.mirror)
          expect(other.snapshot()).toEqual(one.snapshot())
          expect((await model.open(one.snapshot())).snapshot()).toEqual(one.snapshot())
        },
      ),
      { numRuns: rounds(500) },
    )
  })
})

/** Two or three replicas that have these nodes, by name: `{ b: 'a' }` is a node b below the node a. */
async function withNodes(
  count: number,
  parents: { readonly [name: string]: string | undefined },
): Promise<{ readonly all: Replica[]; readonly sent: Sent[]; readonly keys: Keys }> {
  const all = await Promise.all(Array.from({ length: count }, (_, n) => replica(n)))
  const keys: { [name: string]: string } = {}
  const sent = Object.entries(parents).flatMap(([name, parent]) =>
    command(all[0]!, (t) => {
      const item = t.insert(parent === undefined ? undefined : keys[parent])
      item.value.title.set(name)
      keys[name] = item.key
    }),
  )
  exchange(all, sent)
  // The clock of each is ahead of those before it.
  for (const [n, one] of all.entries()) one.ms = n + 1
  return { all, sent, keys }
}
interface Keys {
  readonly [name: string]: string
}

const exchange = (all: readonly Replica[], sent: readonly Sent[]): void => {
  for (const one of all) while (deliver(one, sent, 0)) void 0
}

/** The titles of a tree: `a(b c(d))`. */
const titles = ({ state }: Replica): string => textOf(state.mirror as unknown as Shown)
const textOf = (items: Shown): string =>
  items
    .map(({ value, children }) =>
      children.length > 0 ? `${value.title}(${textOf(children)})` : value.title,
    )
    .join(' ')

/** What all show after these commands, each by another replica at the same time. */
async function concurrently(
  parents: { readonly [name: string]: string | undefined },
  ...commands: readonly ((tree: Handle, keys: Keys) => void)[]
): Promise<string> {
  const { all, sent, keys } = await withNodes(commands.length, parents)
  for (const [i, change] of commands.entries())
    sent.push(...command(all[i]!, (t) => change(t, keys)))
  exchange(all, sent)
  expect(new Set(all.map(titles)).size).toBe(1)
  return titles(all[0]!)
}

const top = undefined
const letters = { f: top, a: 'f', b: 'f', c: 'b' }

describe('what two devices do to a tree at the same time', () => {
  const strict = nativeModel(
    tree(record({ title: register(''), votes: counter() }), { wins: 'removal' }),
  )

  test('of two moves that make a cycle, the later has no effect', async () => {
    const shown = concurrently(
      letters,
      (t, { a, b }) => t.move(a!, b),
      (t, { a, b }) => t.move(b!, a),
    )
    expect(await shown).toBe('f(b(c a))')
  })

  test('of two moves of one node, the later counts', async () => {
    const shown = concurrently(
      letters,
      (t, { c, a }) => t.move(c!, a),
      (t, { c, f }) => t.move(c!, f, 'first'),
    )
    expect(await shown).toBe('f(c a b)')
  })

  test('a change below a deleted node keeps the node, with all that is below it', async () => {
    const shown = concurrently(
      { ...letters, d: 'b' },
      (t, { f }) => t.delete(f!),
      (t, { c }) => t.get(c!).title.set('C'),
    )
    expect(await shown).toBe('f(a b(C d))')
  })

  test('so do an insertion and a move below it', async () => {
    const insert = (t: Handle, { b }: Keys): void => t.insert(b).value.title.set('new')
    const remove = (t: Handle, { f }: Keys): void => t.delete(f!)
    expect(await concurrently(letters, remove, insert)).toBe('f(a b(c new))')
    const more = { ...letters, x: top }
    const shown = concurrently(more, remove, (t, { x, b }) => t.move(x!, b, 'first'))
    expect(await shown).toBe('f(a b(x c))')
  })

  test('a node that is moved out of a deleted node stays', async () => {
    const shown = concurrently(
      letters,
      (t, { f }) => t.delete(f!),
      (t, { b }) => t.move(b!),
    )
    expect(await shown).toBe('b(c)')
  })

  test('a change of a node that others drag into the trash, and then empty, brings the node back', async () => {
    const shown = concurrently(
      { f: top, a: 'f', trash: top, old: 'trash' },
      (t, { a, trash }) => {
        t.move(a!, trash)
        t.delete(trash!)
      },
      (t, { a }) => t.get(a!).title.set('A'),
    )
    expect(await shown).toBe('f trash(old A)')
    const unchanged = concurrently(
      { f: top, a: 'f', trash: top, old: 'trash' },
      (t, { a, trash }) => {
        t.move(a!, trash)
        t.delete(trash!)
      },
      (t, { f }) => t.get(f!).title.set('F'),
    )
    expect(await unchanged).toBe('F')
  })

  test('a deletion below a deleted node does not bring it back', async () => {
    const shown = concurrently(
      letters,
      (t, { f }) => t.delete(f!),
      (t, { c }) => t.delete(c!),
    )
    expect(await shown).toBe('')
  })

  test('with wins: removal, a deleted node is gone with all that is below it, but not what is moved out', async () => {
    const { all, sent, keys } = await withNodes(2, { ...letters, d: 'f' })
    for (const one of all) one.state = await strict.open(one.state.snapshot())
    sent.push(
      ...command(all[0]!, (t) => t.delete(keys['f']!)),
      ...command(all[1]!, (t) => {
        t.get(keys['a']!).title.set('A')
        t.move(keys['b']!)
      }),
    )
    exchange(all, sent)
    expect(all.map(titles)).toEqual(['b(c)', 'b(c)'])
  })

  test('a move that had no effect gets none when the other node of the cycle is moved on', async () => {
    const { all, sent, keys } = await withNodes(2, letters)
    const [one, other] = all as [Replica, Replica]
    sent.push(...command(one, (t) => t.move(keys['a']!, keys['b'])))
    sent.push(...command(other, (t) => t.move(keys['b']!, keys['a'])))
    exchange(all, sent)
    sent.push(...command(one, (t) => t.move(keys['a']!)))
    exchange(all, sent)
    expect(all.map(titles)).toEqual(['f(b(c)) a', 'f(b(c)) a'])
  })

  test('with wins: removal, the deletion of a node in a cycle deletes only what is shown below it', async () => {
    const { all, sent, keys } = await withNodes(2, letters)
    const [one, other] = all as [Replica, Replica]
    for (const each of all) each.state = await strict.open(each.state.snapshot())
    sent.push(...command(one, (t) => t.move(keys['a']!, keys['b'])))
    sent.push(...command(other, (t) => t.move(keys['b']!, keys['a'])))
    exchange(all, sent)
    expect(all.map(titles)).toEqual(['f(b(c a))', 'f(b(c a))'])
    sent.push(...command(one, (t) => t.delete(keys['a']!)))
    exchange(all, sent)
    expect(all.map(titles)).toEqual(['f(b(c))', 'f(b(c))'])
  })

  test('with wins: removal, a node that was moved out of a deleted node stays also if it is in a cycle', async () => {
    const { all, sent, keys } = await withNodes(2, { x: top, y: 'x', f: 'y', g: top })
    const [other, one] = all as [Replica, Replica]
    for (const each of all) each.state = await strict.open(each.state.snapshot())
    sent.push(
      ...command(one, (t) => {
        t.move(keys['f']!, keys['g'])
        t.delete(keys['x']!)
      }),
    )
    sent.push(...command(other, (t) => t.move(keys['g']!, keys['f'])))
    exchange(all, sent)
    expect(all.map(titles)).toEqual(['f(g)', 'f(g)'])
  })

  describe('with several cycles', () => {
    /**
     * A node c1, whose old parent is a, is on the top level: a is in a cycle with b, and c1 is in a cycle with d1. So are c2 and d2, and so on.
     */
    const withCycles = async (others: number): Promise<{ one: Replica; keys: Keys }> => {
      const numbers = Array.from({ length: others }, (_, i) => i + 1)
      const names = [...numbers.flatMap((n) => [`c${n}`, `d${n}`]), 'a', 'b']
      const { all, sent, keys } = await withNodes(
        2,
        Object.fromEntries(names.map((name) => [name, top])),
      )
      for (const each of all) each.state = await strict.open(each.state.snapshot())
      const [one, other] = all as [Replica, Replica]
      for (const n of numbers) sent.push(...command(one, (t) => t.move(keys[`c${n}`]!, keys['a'])))
      exchange(all, sent)
      sent.push(
        ...command(one, (t) => {
          t.move(keys['a']!, keys['b'])
          for (const n of numbers) t.move(keys[`d${n}`]!, keys[`c${n}`])
        }),
        ...command(other, (t) => {
          t.move(keys['b']!, keys['a'])
          for (const n of numbers) t.move(keys[`c${n}`]!, keys[`d${n}`])
        }),
      )
      exchange(all, sent)
      const shown = [...numbers.map((n) => `c${n}(d${n})`), 'b(a)'].join(' ')
      expect(all.map(titles)).toEqual([shown, shown])
      return { one, keys }
    }

    test.each<[string, string, (tree: Handle, keys: Keys) => void]>([
      ['moved to the top level', 'c1(d1) b a', (t, { a }) => t.move(a!)],
      ['moved into the other cycle', 'c1(d1 a) b', (t, { a, c1 }) => t.move(a!, c1)],
      ['moved next to it', 'c1(d1) a b', (t, { a, c1 }) => t.move(a!, top, { after: c1! })],
      ['deleted for good', 'c1(d1) b', (t, { a }) => t.delete(a!)],
    ])('a node stays where it is when its old parent is %s', async (_, shown, change) => {
      const { one, keys } = await withCycles(1)
      command(one, (t) => change(t, keys))
      expect(titles(one)).toBe(shown)
    })

    test('a change puts at most 16 nodes back', async () => {
      const { one, keys } = await withCycles(20)
      const [body] = command(one, (t) => t.move(keys['a']!))
      const [, ops] = decodeCanonical(body!.bytes) as [Value, [number][]]
      expect(ops.filter(([mark]) => mark === 16)).toHaveLength(1 + 16)
    })
  })
})

describe('the handle of a tree', () => {
  const only = async (): Promise<{ one: Replica; keys: Keys }> => {
    const { all, keys } = await withNodes(1, letters)
    return { one: all[0]!, keys }
  }

  test('says what is wrong with a key or a place', async () => {
    const { one, keys } = await only()
    const { f, a, b, c } = keys as { [name: string]: string }
    const handle = one.state.begin(originOf(one)).handle as Handle
    handle.delete(b!)
    handle.delete(b!)
    expect([
      rejectionOf(() => handle.move(f!, a)),
      rejectionOf(() => handle.move(f!, f)),
      rejectionOf(() => handle.get(c!)),
      rejectionOf(() => handle.get('x')),
      rejectionOf(() => handle.insert(b)),
      rejectionOf(() => handle.children('x')),
      rejectionOf(() => handle.move(a!, undefined, { before: a! })),
      rejectionOf(() => handle.insert(undefined, { after: a! })),
      rejectionOf(() => handle.insert(undefined, 'middle' as Where)),
      rejectionOf(() => handle.get(7 as never)),
    ]).toEqual([
      'cycle',
      'cycle',
      'absent',
      'absent',
      'absent',
      'absent',
      'absent',
      'absent',
      'invalid-input',
      'absent',
    ])
  })

  test('makes no commit for what changes nothing', async () => {
    const { one, keys } = await only()
    const inert: readonly ((t: Handle) => void)[] = [
      (t) => t.move(keys['a']!, keys['f'], 'first'),
      (t) => t.move(keys['b']!, keys['f'], { after: keys['a']! }),
      (t) => t.move(keys['b']!, keys['f'], { before: keys['b']! }),
      (t) => t.delete(t.insert().key),
      (t) => {
        const { key, value } = t.insert(keys['a'])
        value.title.set('x')
        t.delete(key)
      },
      (t) => t.get(keys['a']!).title.set('a'),
      (t) => {
        t.get(keys['c']!).votes.increment()
        t.get(keys['c']!).votes.decrement()
      },
    ]
    for (const change of inert) expect(command(one, change)).toEqual([])
    const back = (t: Handle): void => {
      t.delete(keys['c']!)
      t.insert(keys['b'])
    }
    expect(command(one, back)).toHaveLength(1)
  })

  test('a command that is taken back leaves the same mirror, also if it has closed a node that it has made', async () => {
    const strict = nativeModel(tree(register(''), { wins: 'removal' }))
    const one = { ...(await replica(0)), state: await strict.open(undefined) }
    command(one, (t) => t.insert(t.insert().key))
    const { mirror } = one.state
    const draft = one.state.begin(originOf(one))
    const handle = draft.handle as Handle
    const below = handle.children(handle.children()[0])[0]
    const { key } = handle.insert(below)
    expect(one.state.mirror).not.toBe(mirror)
    handle.delete(key)
    expect(one.state.mirror).toEqual(mirror)
    draft.revert()
    expect(one.state.mirror).toBe(mirror)
  })

  test('shows what has not changed by the same objects', async () => {
    const { one, keys } = await only()
    const before = one.state.mirror as unknown as Shown
    command(one, (t) => t.insert(keys['b']))
    const after = one.state.mirror as unknown as Shown
    expect(after[0]!.children[0]).toBe(before[0]!.children[0])
    expect(after[0]!.children[1]!.children[0]).toBe(before[0]!.children[1]!.children[0])
    expect(after[0]!.children[1]).not.toBe(before[0]!.children[1])
    expect([after, after[0], after[0]!.children].every(Object.isFrozen)).toBe(true)
    command(one, (t) => t.insert())
    expect((one.state.mirror as unknown as Shown)[0]).toBe(after[0])
  })

  test('makes no more levels than the limit, and deeper nodes are shown on the last', async () => {
    const names = Array.from({ length: limits.treeLevels }, (_, i) => `${i}`)
    const chain = Object.fromEntries(names.map((name, i) => [name, names[i - 1]]))
    const { all, sent, keys } = await withNodes(2, { ...chain, x: top, y: 'x' })
    const [one, other] = all as [Replica, Replica]
    const last = keys[names.at(-1)!]!
    expect(() => command(one, (t) => t.insert(last))).toThrow('at most 64 levels')
    sent.push(...command(other, (t) => t.move(keys['0']!, keys['y'])))
    sent.push(...command(one, (t) => t.insert(keys['61']).value.title.set('z')))
    exchange(all, sent)
    expect(titles(one)).toContain('(60(61 62 63 z))')
    expect(titles(one)).toBe(titles(other))
    sent.push(...command(one, (t) => t.move(keys['0']!)))
    expect(titles(one)).toContain('(60(61(62(63) z)))')
  })
})

describe('members who mean harm', () => {
  test('cannot keep others from moving nodes that they move 40,000 times', async () => {
    const { all, sent, keys } = await withNodes(1, { a: top, b: top, c: 'b' })
    const [one] = all as [Replica]
    const [first, second] = sent.map(({ origin, prefix }) => [
      fromHex(origin.session),
      origin.seq,
      fromHex(prefix),
    ]) as [Value[], Value[]]
    // Nearly every move makes a cycle, or ends one.
    const ops = Array.from({ length: limits.opsPerSection }, (_, i): Value => {
      const node = i % 2
      return [16, [node, 0], [1 - node, 0], [i, 0], []]
    })
    const bytes = encodeCanonical([[...first, ...second], ops])
    for (const n of [5, 6, 7, 8]) {
      const time = { ms: n % 2 === 0 ? 0 : Number.MAX_SAFE_INTEGER, counter: 0 }
      const origin = { device: deviceId(n), session: sessionId(n, 1), seq: 1, time }
      expect(one.state.fold([bodyAt(origin, bytes)])).toEqual([])
      expect(JSON.stringify(one.state.mirror)).toContain('"c"')
    }
    const start = processorTime()
    const [body] = command(one, (t) => {
      t.move(keys['a']!)
      t.move(keys['b']!, keys['a'])
    })
    expect(titles(one)).toBe('a(b(c))')
    expect(processorTime() - start).toBeLessThan(50)
    expect(body!.bytes.length).toBeLessThan(1024)
    expect(one.state.snapshot().length).toBeLessThan(2048)
  })

  test('cannot overflow the stack with a chain of nodes, nor with a cycle of all', async () => {
    const COUNT = 10_000
    const state = await model.open(undefined)
    const [device, session] = [deviceId(1), sessionId(1, 1)]
    const chain = Array.from({ length: COUNT }, (_, i): Value => [
      15,
      i === 0 ? null : [-1, i - 1],
      [0, 0],
    ])
    const fold = (seq: number, ops: readonly Value[]): void => {
      const origin = { device, session, seq, time: { ms: seq, counter: 0 } }
      expect(state.fold([bodyAt(origin, encodeCanonical([[], [...ops]]))])).toEqual([])
    }
    fold(1, chain)
    const ends = (): number => JSON.stringify(state.mirror).split('"title"').length - 1
    expect(ends()).toBe(COUNT)
    fold(2, [[16, [-2, 0], [-2, COUNT - 1], [0, 0], []]])
    expect(ends()).toBe(COUNT)
    const again = await model.open(state.snapshot())
    expect(again.mirror).toEqual(state.mirror)
  })

  test.each<[string, Value]>([
    ['a node of its own commit that comes later', [16, [-1, 1], null, [0, 0], []]],
    ['itself as its parent', [15, [-1, 0], [0, 0]]],
    ['a commit before the first', [19, [-3, 0]]],
    ['a commit that is not listed', [19, [0, 0]]],
    ['a node without a number', [19, [-1]]],
    ['a negative number', [19, [-2, -1]]],
    ['a parent that is no node', [15, 0, [0, 0]]],
    ['no rank', [15, null, []]],
    ['a rank with a fraction', [15, null, [0.5, 0]]],
    ['names that are not listed', [16, [-2, 0], null, [0, 0], [1]]],
    ['no names', [16, [-2, 0], null, [0, 0], null]],
    ['a deletion that names nothing', [18, [-2, 0], 1]],
    ['a change that breaks a rule', [17, [-2, 0], ['votes', 0.5]]],
    ['a change of no node that breaks a rule', [17, [-2, 7], ['votes', 0.5]]],
    ['too many items', [19, [-2, 0], 0]],
  ])('write a void body with %s', async (_, op) => {
    const state = await model.open(undefined)
    const fold = (seq: number, ops: readonly Value[]): readonly Body[] => {
      const time = { ms: 1, counter: 0 }
      const origin = { device: deviceId(1), session: sessionId(1, 1), seq, time }
      return state.fold([bodyAt(origin, encodeCanonical([[], [...ops]]))])
    }
    fold(1, [[15, null, [0, 0]]])
    const { mirror } = state
    expect(fold(2, [op])).toHaveLength(1)
    expect(state.mirror).toBe(mirror)
  })
})

/** Of each of the first three commits of two other sessions: its number in the list of a body, and after it one with another prefix. */
const COMMITS = 3
const otherSessions = (own: number): number[] => [0, 1, 2].filter((session) => session !== own)
const forgedCommits = (own: number): Value[] =>
  otherSessions(own).flatMap((session) =>
    Array.from({ length: COMMITS }, (_, i) => i + 1).flatMap((seq) =>
      [`${session}${seq}`, 'ff'].flatMap((prefix): Value[] => [
        fromHex(sessionId(session, 1)),
        seq,
        fromHex(prefix.repeat(8)),
      ]),
    ),
  )

const ref = fc.nat(2 * 2 * COMMITS - 1).map((n) => (n % 5 === 0 ? n : n - (n % 2)))
const number = fc.constantFrom(0, 0, 0, 1)
const nodeName = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(ref, number) },
  { weight: 2, arbitrary: fc.tuple(fc.integer({ min: -2, max: -1 }), number) },
)
const parentName = fc.oneof(
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 3, arbitrary: nodeName },
)
const someRank = fc.constantFrom<readonly number[]>([0, 0], [0, 1], [5, 0], [0, 7, 0, 1, 0, 0])
/** Sometimes it breaks a rule. */
const rank = fc.oneof(
  { weight: 19, arbitrary: someRank },
  { weight: 1, arbitrary: fc.constant([0]) },
)
const names = fc.uniqueArray(ref, { maxLength: 3 })
const valueOp = fc.constantFrom<Value>(
  ['votes', 1],
  ['votes', 2],
  ['title', [0, 'x', []]],
  ['votes', 0.5],
)
const forgedOp: fc.Arbitrary<Value> = fc
  .oneof(
    { weight: 2, arbitrary: fc.tuple(fc.constant(15), parentName, rank) },
    { weight: 9, arbitrary: fc.tuple(fc.constant(16), nodeName, parentName, rank, names) },
    { weight: 2, arbitrary: fc.tuple(fc.constant(17), nodeName, valueOp) },
    {
      weight: 2,
      arbitrary: fc.tuple(fc.constant(18), nodeName, fc.oneof(names, fc.constant(null))),
    },
    { weight: 1, arbitrary: fc.tuple(fc.constant(19), nodeName) },
  )
  .map((op) => op as Value)

/** The first op of a commit names no node of its own commit. */
const ownless = (parent: Value): Value =>
  Array.isArray(parent) && parent[0] === -1 ? [-2, 0] : parent

interface Forged {
  readonly session: number
  readonly ops: readonly Value[]
  readonly ms: number
}
const forged: fc.Arbitrary<Forged> = fc.record({
  session: fc.nat(2),
  ops: fc
    .tuple(parentName, fc.array(forgedOp, { maxLength: 3 }))
    .map(([parent, ops]) => [[15, ownless(parent), [0, 0]], ...ops] as Value[]),
  ms: fc.nat(3),
})

const forgedBodies = (written: readonly Forged[]): Body[][] =>
  [0, 1, 2].map((n) =>
    written
      .filter(({ session }) => session === n)
      .map(({ ops, ms }, i): Body => {
        const session = sessionId(n, 1)
        const time = { ms, counter: i }
        const origin: Origin = { device: deviceId(n), session, seq: i + 1, time }
        const bytes = encodeCanonical([forgedCommits(n), ops])
        return { origin, prefix: `${n}${(i + 1).toString(16)}`.repeat(8), bytes }
      }),
  )

/** The bodies in a random order in which each session's stay in their own. */
function inSomeOrder(
  bodies: readonly (readonly Body[])[],
  choices: IterableIterator<number>,
): Body[] {
  const queues = bodies.map((each) => [...each])
  const order: Body[] = []
  for (;;) {
    const ready = queues.filter((queue) => queue.length > 0)
    if (ready.length === 0) return order
    order.push(ready[choices.next().value! % ready.length]!.shift()!)
  }
}
