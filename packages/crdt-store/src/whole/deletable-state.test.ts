import {
  counter,
  decodeCanonical,
  document,
  encodeCanonical,
  hash,
  map,
  PeerplaneError,
  toHex,
  utf8,
  type Body,
  type DeviceId,
  type DocumentHandle,
  type EntityState,
  type HandleOf,
  type Origin,
  type SessionId,
  type StateModel,
  type Value,
} from '@peerplane/core'
import { bodyAt, rounds } from '@peerplane/core/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { documentModel } from '../document/index.ts'
import { commitsToValue, NamedCommit } from '../kernels/commits.ts'
import { nativeModel } from '../kernels/native-model.ts'

/*
 * Devices change one entity, delete it, and change it again, in one command or in several. The oracle knows only what each device had seen when it
 * made a commit. Documents are compared with it, and so is a native state: all kinds of state are deleted by the same rules.
 */

type Wins = 'update' | 'removal'
const shape = map(counter())
interface Kind {
  readonly open: (wins: Wins) => Promise<StateModel>
  readonly mark: (handle: unknown, name: string) => void
}
const kinds: Readonly<Record<string, Kind>> = {
  document: {
    open: (wins) => documentModel(document({ marks: {} as Record<string, number> }), { wins }),
    mark: (handle, name) => {
      ;(handle as DocumentHandle<{ marks: Record<string, number> }>).marks[name] = 1
    },
  },
  native: {
    open: async (wins) => nativeModel(shape, { wins }),
    mark: (handle, name) => (handle as HandleOf<typeof shape>).get(name).increment(1),
  },
}

/** What one commit did, and what its author had seen. */
interface Deed {
  readonly deletes: boolean
  readonly marks: boolean
  readonly seen: ReadonlySet<number>
}

/** The dumbest correct model. */
class Oracle {
  readonly #deeds: readonly Deed[]
  readonly #wins: Wins

  constructor(deeds: readonly Deed[], wins: Wins) {
    this.#deeds = deeds
    this.#wins = wins
  }

  /** The generation of what a deed marks, or else deletes. */
  generationOf(at: number): number {
    const { deletes, marks, seen } = this.#deeds[at]!
    const [before, exists] = [this.generation(seen), this.exists(seen)]
    if (seen.size === 0) return 0
    return marks && (!exists || deletes) ? before + 1 : before
  }

  generation(seen: ReadonlySet<number>): number {
    return Math.max(0, ...[...seen].map((at) => this.generationOf(at)))
  }

  exists(seen: ReadonlySet<number>): boolean {
    const generation = this.generation(seen)
    const current = [...seen].filter((at) => this.generationOf(at) === generation)
    const deletions = current.filter((at) => !this.#deeds[at]!.marks)
    if (this.#wins === 'removal' && deletions.length > 0) return false
    const isDeleted = (mark: number): boolean =>
      deletions.some((at) => this.#deeds[at]!.seen.has(mark))
    return current.some((at) => this.#deeds[at]!.marks && !isDeleted(at))
  }

  /** The names of the marks that are shown. */
  shown(seen: ReadonlySet<number>): readonly string[] {
    if (!this.exists(seen)) return []
    const generation = this.generation(seen)
    return [...seen]
      .filter((at) => this.#deeds[at]!.marks && this.generationOf(at) === generation)
      .map((at) => `m${at}`)
      .sort()
  }
}

const sessionOf = (name: string): SessionId =>
  toHex(hash('s', utf8(name)).slice(0, 16)) as SessionId
const originOf = (name: string, seq: number): Origin => ({
  device: toHex(hash('d', utf8(name))) as DeviceId,
  session: sessionOf(name),
  seq,
  time: { ms: seq, counter: 0 },
})

const shownBy = ({ mirror, exists }: EntityState): unknown => {
  const shown = mirror as { marks?: object }
  return { exists, marks: Object.keys(shown.marks ?? shown).sort() }
}

interface Device {
  readonly name: string
  state: EntityState
  seq: number
  readonly seen: Set<number>
}

function expectSame(shown: unknown, expected: unknown): void {
  expect(shown).toEqual(expected)
}

/** Devices that hold one entity. */
class Group {
  readonly #kind: Kind
  readonly #model: StateModel
  readonly #wins: Wins
  readonly devices: Device[]
  readonly bodies: Body[] = []
  readonly deeds: Deed[] = []

  private constructor(kind: Kind, model: StateModel, wins: Wins, devices: Device[]) {
    this.#kind = kind
    this.#model = model
    this.#wins = wins
    this.devices = devices
  }

  static async of(kind: Kind, wins: Wins): Promise<Group> {
    const model = await kind.open(wins)
    const devices: Device[] = []
    for (const name of ['a', 'b', 'c']) {
      devices.push({ name, state: await model.open(undefined), seq: 0, seen: new Set() })
    }
    return new Group(kind, model, wins, devices)
  }

  /** A command of a device; `steps` are what its handler does, and `isTakenBack` whether it fails in the end. */
  command(device: Device, steps: readonly ('mark' | 'delete')[], isTakenBack: boolean): void {
    const at = this.deeds.length
    const { state, seen } = device
    const before = shownBy(state)
    const { exists } = state
    const origin = originOf(device.name, device.seq + 1)
    const draft = state.begin(origin)
    for (const step of steps) {
      if (step === 'delete') draft.delete()
      else this.#kind.mark(draft.handle, `m${at}`)
    }
    const last = steps.at(-1)
    expectSame(draft.exists, last === undefined ? exists : last === 'mark')
    const bytes = draft.finish()
    const deletes = steps.includes('delete') && exists
    const marks = last === 'mark'
    expectSame(bytes !== undefined, marks || deletes)
    if (isTakenBack || !bytes) {
      draft.revert()
      expectSame(shownBy(state), before)
      return
    }
    const body = bodyAt(origin, bytes)
    state.identify(body)
    this.bodies.push(body)
    this.deeds.push({ deletes, marks, seen: new Set(seen) })
    device.seq++
    seen.add(at)
    this.check(device)
  }

  /** Delivers what one device has, in the order in which it was made, to another one. */
  deliver(from: Device, to: Device, limit = Infinity): void {
    const missing = [...from.seen].filter((at) => !to.seen.has(at)).sort((a, b) => a - b)
    const some = missing.slice(0, limit)
    expectSame(to.state.fold(some.map((at) => this.bodies[at]!)), [])
    for (const at of some) to.seen.add(at)
    this.check(to)
  }

  async reopen(device: Device): Promise<void> {
    const before = shownBy(device.state)
    const snapshot = device.state.snapshot()
    device.state.close()
    device.state = await this.#model.open(snapshot)
    expectSame(shownBy(device.state), before)
  }

  check({ state, seen }: Device): void {
    const oracle = new Oracle(this.deeds, this.#wins)
    expectSame(shownBy(state), { exists: oracle.exists(seen), marks: oracle.shown(seen) })
  }

  close(): void {
    for (const { state } of this.devices) state.close()
  }
}

const anySteps = fc.array(fc.constantFrom<'mark' | 'delete'>('mark', 'delete'), {
  minLength: 1,
  maxLength: 3,
})
const anyMove = fc.oneof(
  fc.record({
    what: fc.constant('command' as const),
    by: fc.nat(2),
    steps: anySteps,
    isTakenBack: fc.integer({ min: 0, max: 5 }).map((luck) => luck === 0),
  }),
  fc.record({
    what: fc.constant('deliver' as const),
    by: fc.nat(2),
    to: fc.nat(2),
    limit: fc.constantFrom(1, 2, Infinity),
  }),
  fc.record({ what: fc.constant('reopen' as const), by: fc.nat(2) }),
)

describe.each(Object.keys(kinds))('%s', (name) => {
  test.each<Wins>(['update', 'removal'])(
    'devices show what the oracle expects, with wins: %s',
    async (wins) => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyMove, { maxLength: 18 }), async (moves) => {
          const group = await Group.of(kinds[name]!, wins)
          const { devices } = group
          for (const move of moves) {
            const device = devices[move.by]!
            if (move.what === 'command') group.command(device, move.steps, move.isTakenBack)
            else if (move.what === 'deliver') group.deliver(device, devices[move.to]!, move.limit)
            else await group.reopen(device)
          }
          for (const to of devices) for (const from of devices) group.deliver(from, to)
          for (const each of devices) await group.reopen(each)
          group.close()
        }),
        { numRuns: rounds(120) },
      )
    },
  )
})

/** Deletions and other bodies of a member that means harm: any names, any generation, any form. */
const anyHostile = fc
  .tuple(
    fc.constantFrom<readonly Value[]>(
      [[6, null]],
      [[6, [0]]],
      [[6, [0, 1]]],
      [[6, []]],
      [[6, [7]]],
      [
        [6, [0]],
        [6, null],
      ],
      [[6]],
      [],
      [1],
      [[4, 'x', []]],
    ),
    fc.constantFrom<Value | undefined>(undefined, undefined, 1, 2, 2 ** 53 - 1, 0, 'x'),
    fc.boolean(),
  )
  .map(([ops, generation, isDocument]) => ({ ops, generation, isDocument }))

test('deletions of hostile members have the same effect in any order, on documents and on native states', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyMove, { maxLength: 10 }),
      fc.array(anyHostile, { minLength: 1, maxLength: 5 }),
      fc.infiniteStream(fc.nat()),
      async (moves, hostile, choices) => {
        const group = await Group.of(kinds['document']!, 'update')
        for (const move of moves) {
          const device = group.devices[move.by]!
          if (move.what === 'command') group.command(device, move.steps, move.isTakenBack)
          if (move.what === 'deliver') group.deliver(device, group.devices[move.to]!)
        }
        group.close()
        const named = [0, 1].map((at) => namedIn(group.bodies[at], at))
        const all = [
          ...group.bodies,
          ...hostile.map(({ ops, generation, isDocument }, i) => {
            const body: Value[] = isDocument
              ? [new Uint8Array(3)]
              : [commitsToValue(named), [...ops]]
            if (generation !== undefined) body.push(generation)
            return bodyAt(originOf('h', i + 1), encodeCanonical(body))
          }),
        ]
        const model = await documentModel(document({ marks: {} as Record<string, number> }))
        const native = nativeModel(shape)
        const results: unknown[] = []
        for (const first of [all, all.toReversed()]) {
          const state = await model.open(undefined)
          const plain = await native.open(undefined)
          for (const body of causal(first, group, choices)) {
            state.fold([body])
            plain.fold([body])
          }
          void state.mirror
          state.fold([])
          // Whether an entity exists does not depend on the kind that it is declared as.
          expect(plain.exists).toBe(state.exists)
          results.push(shownBy(state))
          state.close()
        }
        expect(results[1]).toEqual(results[0])
      },
    ),
    { numRuns: rounds(150) },
  )
})

/** The commit of a body; without one, a commit that nobody has made. */
const namedIn = (body: Body | undefined, at: number): NamedCommit =>
  body
    ? new NamedCommit(body.origin.session, body.origin.seq, body.prefix)
    : new NamedCommit(sessionOf('z'), at + 1, '00'.repeat(8))

/** An order in which nothing comes before what its author had seen. */
function causal(bodies: readonly Body[], group: Group, choices: Iterator<number>): Body[] {
  const left = [...bodies]
  const ordered: Body[] = []
  const isReady = (body: Body): boolean => {
    const at = group.bodies.indexOf(body)
    const seen = at < 0 ? [] : [...group.deeds[at]!.seen].map((each) => group.bodies[each]!)
    return left.every(
      (each) =>
        !seen.includes(each) &&
        (each.origin.session !== body.origin.session || each.origin.seq >= body.origin.seq),
    )
  }
  while (left.length > 0) {
    const ready = left.filter(isReady)
    const next = ready[choices.next().value % ready.length]!
    left.splice(left.indexOf(next), 1)
    ordered.push(next)
  }
  return ordered
}

test('a command that refers to a version from before a deletion is refused', async () => {
  const model = await kinds['document']!.open('update')
  const state = await model.open(undefined)
  const change = (seq: number, edit: (draft: ReturnType<EntityState['begin']>) => void): void => {
    const origin = originOf('a', seq)
    const draft = state.begin(origin)
    edit(draft)
    state.identify(bodyAt(origin, draft.finish()!))
  }
  const mark = kinds['document']!.mark
  change(1, ({ handle }) => mark(handle, 'x'))
  const { version } = state
  change(2, (draft) => draft.delete())
  const blank = state.version
  expect(() => state.begin(originOf('a', 3), version)).toThrow(
    new PeerplaneError(
      'invalid-input',
      'a command refers to a version from before a deletion of its entity',
    ),
  )
  const draft = state.begin(originOf('a', 3), blank)
  mark(draft.handle, 'y')
  draft.finish()
  expect(shownBy(state)).toEqual({ exists: true, marks: ['y'] })
  // The version that was shown while the entity did not exist is known in the new one.
  state.identify(bodyAt(originOf('a', 3), new Uint8Array(1)))
  const other = state.begin(originOf('a', 4), blank)
  mark(other.handle, 'z')
  other.finish()
  expect(shownBy(state)).toEqual({ exists: true, marks: ['y', 'z'] })
  state.close()
})

test('a command on an incomplete entity does not close a generation, and what it writes after a deletion stays in it', async () => {
  const group = await Group.of(kinds['document']!, 'removal')
  const [device] = group.devices as [Device]
  group.command(device, ['mark'], false)
  device.state.markIncomplete!()
  const draft = device.state.begin(originOf('a', 2))
  draft.delete()
  expect(draft.exists).toBe(false)
  kinds['document']!.mark(draft.handle, 'more')
  const body = bodyAt(originOf('a', 2), draft.finish()!)
  device.state.identify(body)
  expect(shownBy(device.state)).toEqual({ exists: true, marks: ['m0', 'more'] })
  const last = device.state.begin(originOf('a', 3))
  last.delete()
  expect(decodeCanonical(last.finish()!)).toEqual([[], [[6, []]]])
  group.close()
})

test.each(Object.keys(kinds))(
  '%s: a deletion that spares changes which its author has not seen does so even if removals win',
  async (name) => {
    const group = await Group.of(kinds[name]!, 'removal')
    const [one, other] = group.devices as [Device, Device]
    group.command(one, ['mark'], false)
    group.deliver(one, other)
    group.command(other, ['mark'], false)
    const draft = one.state.begin(originOf('a', 2))
    draft.delete({ spares: true })
    const body = bodyAt(originOf('a', 2), draft.finish()!)
    one.state.identify(body)
    expect(one.state.exists).toBe(false)
    one.state.fold([group.bodies[1]!])
    other.state.fold([body])
    for (const { state } of [one, other]) {
      expect(shownBy(state)).toEqual({ exists: true, marks: ['m0', 'm1'] })
    }
    group.close()
  },
)

test.each(Object.keys(kinds))('%s: a state knows when it was last changed', async (name) => {
  const { open, mark } = kinds[name]!
  const model = await open('update')
  const state = await model.open(undefined)
  expect(state.changedMs).toBe(0)
  for (const [seq, isTakenBack] of [
    [9, false],
    [12, true],
  ] as const) {
    const draft = state.begin(originOf('a', seq))
    mark(draft.handle, `m${seq}`)
    const body = bodyAt(originOf('a', seq), draft.finish()!)
    if (isTakenBack) draft.revert()
    else state.identify(body)
    expect(state.changedMs).toBe(9)
  }
  state.fold([bodyAt(originOf('b', 3), encodeCanonical([[], [[6, []]]]))])
  expect(state.changedMs).toBe(9)
  state.fold([bodyAt(originOf('b', 20), encodeCanonical([[], [[6]]]))])
  expect(state.changedMs).toBe(9)
  state.fold([bodyAt(originOf('b', 21), encodeCanonical([[], [[6, []]]]))])
  expect((await model.open(state.snapshot())).changedMs).toBe(21)
  state.close()
})
