import {
  encodeCanonical,
  flag,
  growOnlyCounter,
  growOnlySet,
  limits,
  multiValueRegister,
  register,
  vote,
  type AutoIncrementHandle,
  type Body,
  type CustomClockHandle,
  type DeviceId,
  type EntityState,
  type FlagHandle,
  type GrowOnlyCounterHandle,
  type GrowOnlySetHandle,
  type Json,
  type MultiValueRegisterHandle,
  type Origin,
  type RegisterHandle,
  type SessionId,
  type Shape,
  type Value,
  type VoteHandle,
  type Votes,
} from '@peerplane/core'
import { bodyAt, processorTime } from '@peerplane/core/testing'
import { expect, test } from 'vitest'

import { nativeModel } from './native-model.ts'

/*
 * Members write as many valid ops to one place as they like. Whatever it holds then, an honest command takes little time and few bytes, and does
 * what it should.
 */

interface Flooded {
  readonly shape: Shape
  readonly op: (n: number) => Value
  readonly call: (handle: never) => void
  readonly shown: unknown
  readonly pick?: (mirror: Json) => unknown
}

const most = Number.MAX_SAFE_INTEGER
const me = 'ee'.repeat(32) as DeviceId

const floods: { readonly [name: string]: Flooded } = {
  'grow-only counter': {
    shape: growOnlyCounter(),
    op: (n) => [26, n],
    call: (handle: GrowOnlyCounterHandle) => handle.increment(7),
    shown: (200_000 * 199_999) / 2 + 7,
  },
  'grow-only set': {
    shape: growOnlySet<Json>(),
    op: (n) => [27, n % 1_000],
    call: (handle: GrowOnlySetHandle<Json>) => handle.add(['mine']),
    shown: ['mine'],
    pick: (mirror) => (mirror as readonly Json[]).at(-1),
  },
  flag: {
    shape: flag(),
    op: () => [20, []],
    call: (handle: FlagHandle) => handle.disable(),
    shown: false,
  },
  'flag that disabling wins': {
    shape: flag({ wins: 'disable' }),
    op: () => [23, []],
    call: (handle: FlagHandle) => handle.enable(),
    shown: true,
  },
  vote: {
    shape: vote(),
    op: (n) => [24, n % 2 === 0],
    call: (handle: VoteHandle) => handle.vote(true),
    shown: true,
    pick: (mirror) => (mirror as Votes)[me],
  },
  'multi-value register': {
    shape: multiValueRegister(''),
    op: (n) => [25, `${n}`, []],
    call: (handle: MultiValueRegisterHandle<string>) => handle.set('mine'),
    shown: ['mine'],
  },
  register: {
    shape: register(''),
    op: (n) => [0, `${n}`, []],
    call: (handle: RegisterHandle<string>) => handle.set('mine'),
    shown: 'mine',
  },
  'register with a custom clock': {
    shape: register('', { clock: 'custom' }),
    op: (n) => [0, `${n}`, [], most],
    call: (handle: CustomClockHandle<string>) => handle.set('mine', most),
    shown: 'mine',
  },
  'register with a clock that increments itself': {
    shape: register('', { clock: 'custom-auto-increment' }),
    op: (n) => [0, `${n}`, [], most],
    call: (handle: AutoIncrementHandle<string>) => handle.set('mine'),
    shown: 'mine',
  },
}

const OPS = 200_000
const SESSIONS = 1_000
const DEVICES = 10

test.each(Object.entries(floods))(
  'after 200,000 hostile ops, an honest command takes less than 50 ms and 4 KB: %s',
  async (_, { shape, op, call, shown, pick = (mirror) => mirror }) => {
    const state = await nativeModel(shape).open(undefined)
    flood(state, op)
    void state.mirror
    const origin = originOf(me, 'ee', 1, 1_000)
    const start = processorTime()
    const draft = state.begin(origin)
    call(draft.handle as never)
    const bytes = draft.finish()!
    state.identify(bodyAt(origin, bytes))
    const mirror = pick(state.mirror)
    const took = processorTime() - start
    expect(mirror).toEqual(shown)
    expect(took).toBeLessThan(50)
    expect(bytes.length).toBeLessThan(4_000)
  },
)

/** Half of the ops come from one session, half from sessions of ten devices that do not know of each other; the clocks are at both ends. */
function flood(state: EntityState, op: (n: number) => Value): void {
  let made = 0
  const body = (origin: Origin, count: number): Body =>
    bodyAt(origin, encodeCanonical([[], Array.from({ length: count }, () => op(made++))]))
  const perSession = OPS / 2 / SESSIONS
  for (let n = 0; n < SESSIONS; n++) {
    const device = (n % DEVICES).toString(16).repeat(64) as DeviceId
    const ms = n % 2 === 0 ? 0 : 2 ** 45
    expect(state.fold([body(originOf(device, n.toString(16), 1, ms), perSession)])).toEqual([])
  }
  const device = 'ff'.repeat(32) as DeviceId
  for (let seq = 1; made < OPS; seq++) {
    const origin = originOf(device, 'ffff', seq, 2 ** 45)
    expect(state.fold([body(origin, limits.opsPerSection)])).toEqual([])
  }
}

function originOf(device: DeviceId, session: string, seq: number, ms: number): Origin {
  return { device, session: session.padStart(32, '0') as SessionId, seq, time: { ms, counter: 0 } }
}
