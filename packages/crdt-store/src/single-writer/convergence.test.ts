import {
  encodeCanonical,
  events,
  hash,
  limits,
  Rejected,
  toHex,
  utf8,
  value,
  type Body,
  type DeviceId,
  type EntityState,
  type HandleOf,
  type Json,
  type Origin,
  type SessionId,
  type StateBranch,
  type Value,
} from '@peerplane/core'
import { bodyAt, rounds } from '@peerplane/core/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { eventsModel, valueModel } from './writer-model.ts'

/*
 * Devices write one entity, restart, are cloned with their stores, take over from each other and choose. Bodies arrive in random causal orders, and
 * repeatedly; hostile bodies are among them. The oracle gets what each commit did, not its bytes, and computes the branches from the set of all
 * commits at once.
 */

const journal = events([] as string[], {
  added: (list, text: string) => [...list, text].slice(-30),
  cleared: () => [],
})
const setting = value<string[]>([])
const models = { events: eventsModel(journal), value: valueModel(setting) }
type Kind = keyof typeof models

/** What one commit did, as its author meant it. */
interface Deed {
  readonly body: Body
  readonly session: string
  readonly device: string
  readonly seq: number
  /** The places of all deeds that its author had seen. */
  readonly seen: ReadonlySet<number>
  /** The deed that it stands on; `undefined` for one of the same session, or for nothing. */
  readonly from: number | undefined
  /** The deeds that were the last ones of branches that it ended. */
  readonly ends: readonly number[]
  readonly begins: boolean
  readonly texts: readonly string[]
}

interface Process {
  readonly device: string
  session: string
  seq: number
  state: EntityState
  readonly held: Set<number>
}

const idOf = (session: string): SessionId =>
  toHex(hash('s', utf8(session)).slice(0, 16)) as SessionId
const deviceOf = (device: string): DeviceId => toHex(hash('d', utf8(device))) as DeviceId

/** The dumbest correct model: all commits at once, compared with each other. */
function expected(kind: Kind, deeds: readonly Deed[]): Json[][] {
  const bySession = Map.groupBy(deeds.keys(), (place) => deeds[place]!.session)
  const values = new Map<number, string[]>()
  const valueAt = (place: number): string[] => {
    const known = values.get(place)
    if (known) return known
    const { session, from, begins, texts } = deeds[place]!
    const before = begins
      ? from
      : bySession
          .get(session)!
          .filter((each) => each < place)
          .at(-1)
    const base = before === undefined ? [] : valueAt(before)
    const made =
      kind === 'value'
        ? texts.length > 0
          ? [texts.at(-1)!]
          : base
        : [...base, ...texts].slice(-30)
    values.set(place, made)
    return made
  }
  const starts = [...bySession].map(([session, places]) => {
    const start = places.findLast((place) => deeds[place]!.begins)!
    return { session, start, last: places.at(-1)!, device: deeds[start]!.device }
  })
  // The scenario's clock makes later deeds begin later.
  const kept = starts
    .sort((a, b) => b.start - a.start)
    .filter(
      ({ device, start }) =>
        starts.filter((each) => each.device === device && each.start > start).length <
        limits.branchesPerDevice,
    )
  const ended = new Set(kept.flatMap(({ start }) => deeds[start]!.ends))
  const live = kept.filter(({ last }) => !ended.has(last))
  return live.map(({ last }) => valueAt(last))
}

class Scenario {
  readonly #kind: Kind
  readonly #choose: (below: number) => number
  readonly deeds: Deed[] = []
  readonly processes: Process[] = []
  #sessions = 0
  #texts = 0

  constructor(kind: Kind, choose: (below: number) => number) {
    this.#kind = kind
    this.#choose = choose
  }

  async start(device: string): Promise<Process> {
    const state = await models[this.#kind].open(undefined)
    const process = { device, session: this.#session(), seq: 0, state, held: new Set<number>() }
    this.processes.push(process)
    return process
  }

  /** A copy of the store runs beside the process, or instead of it. */
  async copy(process: Process): Promise<void> {
    const state = await models[this.#kind].open(process.state.snapshot())
    const held = new Set(process.held)
    const session = this.#session()
    this.processes.push({ device: process.device, session, seq: 0, state, held })
  }

  async restart(process: Process): Promise<void> {
    process.state = await models[this.#kind].open(process.state.snapshot())
    process.session = this.#session()
    process.seq = 0
  }

  receive(process: Process): void {
    const ready = [...this.deeds.keys()].filter((place) => this.#isReady(place, process.held))
    for (const place of ready.slice(0, 1 + this.#choose(4))) {
      process.state.fold([this.deeds[place]!.body])
      process.held.add(place)
    }
  }

  write(process: Process, chooses: boolean): void {
    const place = this.deeds.length
    const { device, session, seq, state, held } = process
    const origin: Origin = {
      device: deviceOf(device),
      session: idOf(session),
      seq: seq + 1,
      time: { ms: place + 1, counter: 0 },
    }
    const draft = state.begin(origin)
    const handle = draft.handle as HandleOf<typeof journal> & HandleOf<typeof setting>
    const branches = handle.branches as readonly StateBranch<string[]>[]
    const lastOf = (key: string): number =>
      [...held].filter((each) => idOf(this.deeds[each]!.session) === key).at(-1)!
    const chosen = chooses ? branches[this.#choose(branches.length)] : branches[0]
    const texts = Array.from(
      { length: chooses ? this.#choose(2) : 1 + this.#choose(2) },
      () => `${this.#texts++}`,
    )
    try {
      if (chooses && chosen) handle.choose(chosen.key)
      for (const text of texts) {
        if (this.#kind === 'events') handle.emit('added', text)
        else handle.set([text])
      }
    } catch (error) {
      if (!(error instanceof Rejected)) throw error
      draft.revert()
      return
    }
    const bytes = draft.finish()
    if (!bytes) return
    const body = bodyAt(origin, bytes)
    state.identify(body)
    const isOnly = branches.length === 1 && branches[0]!.key === origin.session
    const begins = !(branches[0]?.key === origin.session && (!chooses || isOnly))
    const ended = chooses ? branches : branches.slice(0, 1)
    const ends = begins
      ? [...ended.map(({ key }) => lastOf(key)), ...this.#endedBefore(held)].filter(
          (each) => this.deeds[each]!.session !== session,
        )
      : []
    const from = begins && chosen ? lastOf(chosen.key) : undefined
    this.deeds.push({
      body,
      session,
      device,
      seq: seq + 1,
      seen: new Set(held),
      from,
      ends,
      begins,
      texts,
    })
    held.add(place)
    process.seq++
  }

  /** All deeds, in a random causal order, some of them twice. */
  order(): Body[] {
    const held = new Set<number>()
    while (held.size < this.deeds.length) {
      const ready = [...this.deeds.keys()].filter((place) => this.#isReady(place, held))
      held.add(ready[this.#choose(ready.length)]!)
    }
    const bodies = [...held].map((place) => this.deeds[place]!.body)
    return bodies.flatMap((body, i) =>
      this.#choose(4) === 0 ? [body, bodies[this.#choose(i + 1)]!] : [body],
    )
  }

  /** Branches that are known to have ended stay ended, whatever is forgotten. */
  #endedBefore(held: ReadonlySet<number>): number[] {
    const all = [...held]
    const lasts = all.filter(
      (each) =>
        !all.some(
          (later) => later > each && this.deeds[later]!.session === this.deeds[each]!.session,
        ),
    )
    return lasts.filter((each) => all.some((other) => this.deeds[other]!.ends.includes(each)))
  }

  #isReady(place: number, held: ReadonlySet<number>): boolean {
    return !held.has(place) && [...this.deeds[place]!.seen].every((each) => held.has(each))
  }

  #session(): string {
    return `session ${this.#sessions++}`
  }
}

const anySteps = fc.array(
  fc.record({
    does: fc.constantFrom(
      'write',
      'write',
      'write',
      'choose',
      'receive',
      'receive',
      'restart',
      'copy',
    ),
    who: fc.nat(9),
  }),
  { minLength: 3, maxLength: 40 },
)

const shownBy = (state: EntityState): Json[] => {
  const draft = state.begin({
    device: deviceOf('onlooker'),
    session: idOf('onlooker'),
    seq: 1,
    time: { ms: 0, counter: 0 },
  })
  const { branches } = draft.handle as HandleOf<typeof setting>
  draft.revert()
  return branches.map((branch) => branch.value)
}

/** Bodies of sessions that no honest device has, and wrong ones of those that there are. */
const anyHostile = fc.array(
  fc.tuple(
    fc.nat(3),
    fc.oneof<fc.Arbitrary<Value>[]>(
      fc.constantFrom<Value>([1, ['added', 'evil']], [2, 'evil'], [[], [1]], [3, [], 1, 0], 7),
      fc.tuple(
        fc.constant(3),
        fc.constant([] as Value[]),
        fc.nat(50),
        fc.nat(9),
        fc.constant(['evil']),
        fc.constantFrom<Value>([], ['added', 'more'], ['unknown', 1]),
      ),
      fc.tuple(fc.constant(1), fc.constantFrom<Value>(['unknown', 1], ['added'], [1, 1], [])),
    ),
  ),
  { maxLength: 12 },
)

test.each<Kind>(['events', 'value'])(
  '%s: every device shows the branches that the oracle expects, in any order of delivery',
  async (kind) => {
    await fc.assert(
      fc.asyncProperty(anySteps, fc.infiniteStream(fc.nat()), async (steps, choices) => {
        const choose = (below: number): number => (choices.next().value as number) % below
        const scenario = new Scenario(kind, choose)
        for (const device of ['a', 'b', 'c']) await scenario.start(device)
        for (const { does, who } of steps) {
          const process = scenario.processes[who % scenario.processes.length]!
          if (does === 'receive') scenario.receive(process)
          else if (does === 'restart') await scenario.restart(process)
          else if (does === 'copy' && scenario.processes.length < 5) await scenario.copy(process)
          else scenario.write(process, does === 'choose')
        }
        const branches = expected(kind, scenario.deeds)
        let bytes: string | undefined
        for (let replica = 0; replica < 4; replica++) {
          let state = await models[kind].open(undefined)
          for (const body of scenario.order()) {
            expect(state.fold([body])).toEqual([])
            if (choose(5) === 0) state = await models[kind].open(state.snapshot())
          }
          expect(shownBy(state)).toEqual(branches)
          expect(state.mirror).toEqual(branches[0] ?? [])
          bytes ??= toHex(state.snapshot())
          expect(toHex(state.snapshot())).toBe(bytes)
        }
      }),
      { numRuns: rounds(1000) },
    )
  },
)

test('hostile bodies among honest ones give the same state in any order', async () => {
  await fc.assert(
    fc.asyncProperty(
      anySteps,
      anyHostile,
      fc.infiniteStream(fc.nat()),
      async (steps, wild, choices) => {
        const choose = (below: number): number => (choices.next().value as number) % below
        const scenario = new Scenario('events', choose)
        for (const device of ['a', 'b', 'c']) await scenario.start(device)
        for (const { does, who } of steps) {
          const process = scenario.processes[who % scenario.processes.length]!
          if (does === 'receive') scenario.receive(process)
          else if (does === 'restart') await scenario.restart(process)
          else scenario.write(process, does === 'choose')
        }
        const seqs = [0, 0, 0, 0]
        const hostile = wild.map(([who, fields]) => {
          const name = `mallory ${who}`
          const { body: victim } = scenario.deeds[choose(scenario.deeds.length || 1)] ?? {
            body: undefined,
          }
          const ends = victim && fields instanceof Array && fields.length === 6 && choose(2) === 0
          const named = ends
            ? [
                3,
                [hexBytes(victim.origin.session), victim.origin.seq, hexBytes(victim.prefix)],
                ...fields.slice(2),
              ]
            : fields
          const origin = {
            device: deviceOf(`mallory ${who % 2}`),
            session: idOf(name),
            seq: ++seqs[who]!,
            time: { ms: 5, counter: 0 },
          }
          return bodyAt(origin, encodeCanonical(named as Value))
        })
        const states = await Promise.all(
          Array.from({ length: 4 }, async () => {
            const state = await models.events.open(undefined)
            const queues = [0, 1, 2, 3].map((who) =>
              hostile.filter(({ origin }) => origin.session === idOf(`mallory ${who}`)),
            )
            for (const body of scenario.order()) {
              const queue = queues[choose(4)]!
              state.fold([...queue.splice(0, choose(3)), body])
            }
            state.fold(queues.flat())
            return state
          }),
        )
        for (const state of states) {
          expect(state.mirror).toEqual(states[0]!.mirror)
          expect(shownBy(state)).toEqual(shownBy(states[0]!))
          expect(toHex(state.snapshot())).toBe(toHex(states[0]!.snapshot()))
        }
      },
    ),
    { numRuns: rounds(1000) },
  )
})

const hexBytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
