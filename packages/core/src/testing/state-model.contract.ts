import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { hash } from '../hash.ts'
import { toHex } from '../bytes.ts'
import type { DeviceId, SessionId } from '../ids.ts'
import type { Body, EntityState, Origin, StateModel } from '../ports/state-model.ts'
import { utf8 } from '../text.ts'
import { bodyAt } from './body-at.ts'

/** A number from 0 to below `below`. */
export type Choose = (below: number) => number

/** A state model, and how to use it. */
export interface StateModelFixture {
  readonly model: StateModel
  /** Whether equal states have equal snapshots; others may keep the order in which bodies came. */
  readonly hasCanonicalSnapshots: boolean
  /** Makes a random change, or a few, through the handle of a draft. */
  edit(handle: unknown, choose: Choose): void
}

/** The tests that every {@link StateModel} passes. */
export function stateModelContract(name: string, open: () => Promise<StateModelFixture>): void {
  describe(`state model contract: ${name}`, () => {
    let fixture: StateModelFixture
    const states: EntityState[] = []
    const fresh = async (snapshot?: Uint8Array): Promise<EntityState> => {
      const state = await fixture.model.open(snapshot)
      states.push(state)
      return state
    }
    beforeAll(async () => {
      fixture = await open()
    })
    /** The bytes of a state, where equal states have equal ones. */
    const bytesOf = (state: EntityState): string | undefined =>
      fixture.hasCanonicalSnapshots ? toHex(state.snapshot()) : undefined
    afterAll(() => states.forEach((state) => state.close()))

    test('the same bodies, in any causal order and in any number of calls, give the same mirror and version', async () => {
      await fc.assert(
        fc.asyncProperty(anySteps, anyChoices, async (steps, choices) => {
          const choose = chooser(choices)
          const bodies = await play(fixture, fresh, steps, choose)
          const seen: { mirror: unknown; version: string; bytes: string | undefined }[] = []
          const sizes = new Set<number>()
          for (let replica = 0; replica < 4; replica++) {
            let state = await fresh()
            for (const group of groups(causalOrder(bodies, choose), choose)) {
              expect(state.fold(group)).toEqual([])
              if (choose(4) === 0) state = await fresh(state.snapshot())
            }
            // Where snapshots are canonical, so is how many ops there were.
            if (fixture.hasCanonicalSnapshots) sizes.add(state.size.ops)
            expect(state.size.bytes > 0 && state.size.ops > 0).toBe(bodies.length > 0)
            expect(state.isLarge).toBe(false)
            seen.push({ mirror: state.mirror, version: state.version, bytes: bytesOf(state) })
          }
          for (const each of seen) expect(each).toEqual(seen[0])
          expect(sizes.size).toBeLessThan(2)
        }),
        { numRuns: 40 },
      )
    })

    test('malformed bodies are named, once, and have no effect', async () => {
      await fc.assert(
        fc.asyncProperty(
          anySteps,
          fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 4 }),
          anyChoices,
          async (steps, noise, choices) => {
            const choose = chooser(choices)
            const honest = (await play(fixture, fresh, steps, choose)).map(({ body }) => body)
            const truncated = honest.slice(0, 2).map(({ bytes }) => bytes.subarray(0, -1))
            const garbage = [...noise, ...truncated].map((bytes, i) =>
              bodyAt(originOf('mallory', i + 1), bytes),
            )
            const [mixed, pure] = [await fresh(), await fresh()]
            const waiting = [...garbage]
            const named: Body[] = []
            for (const group of groups(honest, choose)) {
              pure.fold(group)
              named.push(...mixed.fold([...waiting.splice(0, choose(3)), ...group]))
            }
            named.push(...mixed.fold(waiting))
            expect(named).toEqual(garbage)
            expect(mixed.mirror).toEqual(pure.mirror)
            expect(mixed.version).toBe(pure.version)
          },
        ),
        { numRuns: 40 },
      )
    })

    test('a state opens again from its snapshot, at any time', async () => {
      await fc.assert(
        fc.asyncProperty(anySteps, anyChoices, async (steps, choices) => {
          const choose = chooser(choices)
          const bodies = (await play(fixture, fresh, steps, choose)).map(({ body }) => body)
          const state = await fresh()
          for (const group of groups(bodies, choose)) {
            state.fold(group)
            const again = await fresh(state.snapshot())
            expect(again.mirror).toEqual(state.mirror)
            expect(again.version).toBe(state.version)
            expect(again.snapshot()).toEqual(state.snapshot())
          }
        }),
        { numRuns: 20 },
      )
    })

    test('a draft that is taken back, finished or not, leaves nothing', async () => {
      await fc.assert(
        fc.asyncProperty(anySteps, anyChoices, async (steps, choices) => {
          const choose = chooser(choices)
          const bodies = (await play(fixture, fresh, steps, choose)).map(({ body }) => body)
          const state = await fresh()
          state.fold(bodies)
          const { mirror, version } = state
          const snapshot = bytesOf(state)
          for (const finishes of [false, true]) {
            const draft = state.begin(originOf('drafter', 1))
            fixture.edit(draft.handle, choose)
            if (finishes) draft.finish()
            draft.revert()
            expect(state.mirror).toEqual(mirror)
            expect(state.version).toBe(version)
            expect((await fresh(state.snapshot())).mirror).toEqual(mirror)
            expect(bytesOf(state)).toBe(snapshot)
          }
          const settled = state.mirror
          const draft = state.begin(originOf('drafter', 1))
          expect(draft.finish()).toBeUndefined()
          expect(state.mirror).toBe(settled)
        }),
        { numRuns: 20 },
      )
    })

    test('the mirror is frozen, and the same object as long as nothing happens', async () => {
      const state = await fresh()
      const before = state.mirror
      expect(Object.isFrozen(before)).toBe(true)
      expect(state.fold([])).toEqual([])
      expect(state.mirror).toBe(before)
      const shown = JSON.stringify(before)
      const draft = state.begin(originOf('writer', 1))
      fixture.edit(draft.handle, () => 0)
      expect(draft.finish()).toBeDefined()
      expect(state.mirror).not.toBe(before)
      expect(state.mirror).toBe(state.mirror)
      expect(JSON.stringify(before)).toBe(shown)
    })

    test.each([[[]], [[0]], [[0xff, 1, 2, 3]]])(
      'a snapshot of the bytes %j is unreadable',
      async (bytes) => {
        const opening = fixture.model.open(Uint8Array.from(bytes))
        await expect(opening).rejects.toMatchObject({ code: 'unreadable' })
      },
    )
  })
}

const WRITERS = ['alice', 'bob', 'carol']

const anySteps = fc.array(
  fc.record({ does: fc.constantFrom('edit', 'edit', 'receive', 'reopen'), who: fc.nat(2) }),
  { minLength: 1, maxLength: 20 },
)
const anyChoices = fc.infiniteStream(fc.nat())

const chooser =
  (choices: Iterator<number>): Choose =>
  (below) =>
    (choices.next().value as number) % below

function originOf(session: string, seq: number): Origin {
  const id = toHex(hash('test-session', utf8(session)).slice(0, 16)) as SessionId
  const device = toHex(hash('test-device', utf8(session))) as DeviceId
  return { device, session: id, seq, time: { ms: seq, counter: 0 } }
}

/** A body, and the places of all that its author had folded. */
interface Sent {
  readonly body: Body
  readonly after: ReadonlySet<number>
}

/** Three writers change the entity and receive from each other. Returns all bodies in the order in which they were made. */
async function play(
  { edit }: StateModelFixture,
  open: (snapshot?: Uint8Array) => Promise<EntityState>,
  steps: readonly { readonly does: string; readonly who: number }[],
  choose: Choose,
): Promise<Sent[]> {
  const sent: Sent[] = []
  const held = WRITERS.map(() => new Set<number>())
  const states = await Promise.all(WRITERS.map(() => open()))
  for (const { does, who } of steps) {
    const state = states[who]!
    const own = held[who]!
    if (does === 'reopen') states[who] = await open(state.snapshot())
    else if (does === 'receive') {
      const ready = [...sent.keys()].filter((place) => isReady(sent[place]!, own, place))
      for (const place of ready.slice(0, 1 + choose(3))) {
        state.fold([sent[place]!.body])
        own.add(place)
      }
    } else {
      const writer = WRITERS[who]!
      const session = originOf(writer, 0).session
      const seq = sent.filter(({ body }) => body.origin.session === session).length + 1
      const draft = state.begin(originOf(writer, seq))
      edit(draft.handle, choose)
      const bytes = draft.finish()
      if (!bytes) continue
      const body = bodyAt(originOf(writer, seq), bytes)
      state.identify(body)
      sent.push({ body, after: new Set(own) })
      own.add(sent.length - 1)
    }
  }
  return sent
}

const isReady = ({ after }: Sent, held: ReadonlySet<number>, place: number): boolean =>
  !held.has(place) && [...after].every((each) => held.has(each))

function causalOrder(sent: readonly Sent[], choose: Choose): Body[] {
  const held = new Set<number>()
  while (held.size < sent.length) {
    const ready = [...sent.keys()].filter((place) => isReady(sent[place]!, held, place))
    held.add(ready[choose(ready.length)]!)
  }
  return [...held].map((place) => sent[place]!.body)
}

/** The bodies in random groups, at least one. */
function groups(bodies: readonly Body[], choose: Choose): Body[][] {
  const result: Body[][] = []
  for (let at = 0; at < bodies.length;) {
    const size = 1 + choose(4)
    result.push(bodies.slice(at, at + size))
    at += size
  }
  return result.length > 0 ? result : [[]]
}
