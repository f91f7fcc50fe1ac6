import {
  counter,
  document,
  entity,
  map,
  record,
  register,
  set,
  value,
  type Entity,
  type Json,
  type Shape,
} from '@peerplane/core'
import { createMemoryStore } from '@peerplane/crdt-store'
import { describe, expect, test } from 'vitest'

import {
  createPlane,
  openRuntime,
  systemClock,
  systemRandom,
  systemScheduler,
  webCrypto,
  type Plane,
} from './index.ts'

const crypto = webCrypto()
const key = crypto.keyFromSeed(new Uint8Array(32).fill(7))

/** What a device holds; each opening takes it over from the one before. */
interface Disk {
  store: ReturnType<typeof createMemoryStore>
}

async function openOn(disk: Disk, declared: Entity): Promise<Plane> {
  const platform = { random: systemRandom, clock: systemClock, scheduler: systemScheduler }
  disk.store = createMemoryStore(disk.store.entries())
  const ports = { store: disk.store, key: await key, crypto, ...platform }
  return createPlane([declared], await openRuntime(ports, { entities: [declared] }))
}

/** A shape, what is typed into it, and how what was typed is found in a state. */
interface Version {
  readonly name: string
  readonly shape: Shape
  readonly type: (handle: never) => void
}

const TYPED = 'typed'
const version = (name: string, shape: Shape, type: (handle: never) => void): Version => ({
  name,
  shape,
  type,
})
const put = (handle: { x: string }) => (handle.x = TYPED)

const leaves: readonly Version[] = [
  version('counter', counter(), (x: { increment(by: number): void }) => x.increment(7)),
  version('register', register(''), (x: { set(value: string): void }) => x.set(TYPED)),
  version('set', set(), (x: { add(value: string): void }) => x.add(TYPED)),
  version('map of counters', map(counter()), (x: Nested) => x.get(TYPED).increment(7)),
  version('map of registers', map(register('')), (x: Nested) => x.get(TYPED).set(TYPED)),
  version('record', record({ in: register('') }), (x: { in: Handle }) => x.in.set(TYPED)),
]
interface Handle {
  increment(by: number): void
  set(value: string): void
}
interface Nested {
  get(key: string): Handle
}

const inRecord = ({ name, shape, type }: Version): Version =>
  version(`record with a ${name}`, record({ x: shape, other: counter() }), (h: { x: never }) =>
    type(h.x),
  )
const inMap = ({ name, shape, type }: Version): Version =>
  version(`map to a ${name}`, map(shape), (h: { get(key: string): never }) => type(h.get('k')))

const wholes: readonly Version[] = [
  version('document', document({ x: '' }), put),
  version('document with one more field', document({ x: '', title: '' }), put),
  version('value', value(''), (x: Handle) => x.set(TYPED)),
]

async function typeInto(disk: Disk, { shape, type }: Version): Promise<void> {
  const Thing = entity('thing', {
    state: shape,
    commands: { enter: (handle) => type(handle as never) },
  })
  const plane = await openOn(disk, Thing)
  await plane.get(Thing, 'one').enter()
  await plane.close()
}

interface Shown {
  readonly state: Json
  readonly incomplete: boolean
}

/** What an application is shown of what was typed; alone and in lists, in this opening and the next. */
async function shownOn(disk: Disk, { shape }: Version): Promise<Shown> {
  const Thing = entity('thing', {
    state: shape,
    commands: { look: (_, __: null, { exists }) => exists },
  })
  const seen: Shown[] = []
  for (let opening = 0; opening < 2; opening++) {
    const plane = await openOn(disk, Thing)
    const thing = plane.get(Thing, 'one')
    const state = (await thing.state()) as Json
    const ready = await new Promise<Shown>((resolve) => {
      thing.watch((known) => known.phase === 'ready' && resolve(known as Shown))
    })
    expect(ready.state).toEqual(state)
    expect((await thing.look(null)).reply).toBe(true)
    seen.push({ state, incomplete: ready.incomplete })
    expect((await plane.list(Thing)).map((row) => row.state)).toEqual([state])
    await plane.close()
  }
  expect(seen[1]).toEqual(seen[0])
  return seen[0]!
}

const holdsTyped = ({ state }: Shown): boolean => /typed|7|14/.test(JSON.stringify(state))

describe('a shape that changes never hides what was typed without saying so, and shuts nobody out', () => {
  const families = [leaves.concat(wholes), leaves.map(inRecord), leaves.map(inMap)]
  const pairs = families.flatMap((family) =>
    family.flatMap((from) => family.map((to) => [from.name, to.name, from, to] as const)),
  )

  test.each(pairs)(
    'no typed text is lost when a shape changes and changes back: from a %s to a %s',
    async (_, __, from, to) => {
      const disk = { store: createMemoryStore() }
      await typeInto(disk, from)
      const shown = await shownOn(disk, to)
      expect([shown, shown.incomplete || holdsTyped(shown)]).toEqual([shown, true])
      // It can be written as it is declared now.
      await typeInto(disk, to)
      expect(holdsTyped(await shownOn(disk, to))).toBe(true)
      // Nothing is lost: as it was declared before, all is there.
      expect(holdsTyped(await shownOn(disk, from))).toBe(true)
    },
  )
})
