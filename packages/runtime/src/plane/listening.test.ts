import {
  counter,
  document,
  entity,
  map,
  record,
  register,
  set,
  type Json,
  type PeerplaneError,
} from '@peerplane/core'
import { createMemoryStore } from '@peerplane/crdt-store'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'

import { createPlane, openRuntime, systemPlatform, type Plane } from '../index.ts'

type Small = Record<string, Json>

const few = ['a', 'b', { deep: ['a'] }, { deep: ['b'] }, [], {}] as const
const Counter = entity('counter', {
  state: counter(),
  commands: { change: (state, n: number) => state.increment((n % 3) - 1) },
})
const Register = entity('register', {
  state: register<Json>({ deep: ['a'] }),
  commands: { change: (state, n: number) => state.set(few[n % few.length]!) },
})
const Set = entity('set', {
  state: set(),
  commands: { change: (state, n: number) => (n % 2 ? state.add('a') : state.delete('a')) },
})
const Map = entity('map', {
  state: map(register<Json>(null)),
  commands: {
    change: (state, n: number) =>
      n % 4 ? state.get('k').set(few[n % few.length]!) : state.delete('k'),
  },
})
const Record = entity('record', {
  state: record({ one: register<Json>({}), sum: counter() }),
  commands: {
    change: (state, n: number) => {
      if (n % 2) state.one.set(few[n % few.length]!)
      else state.sum.increment((n % 3) - 1)
    },
  },
})
const Document = entity('document', {
  state: document<{ text: string; rest: Small }>({ text: 'a', rest: {} }),
  commands: {
    change: (state, n: number) => {
      if (n % 2) state.splice(['text'], 0, 1, n % 3 ? 'a' : 'b')
      else state.rest = { deep: few[n % few.length]! as Json }
    },
  },
})
const entities = [Counter, Register, Set, Map, Record, Document] as const

async function open(report?: (error: PeerplaneError) => void): Promise<Plane> {
  const platform = systemPlatform()
  const key = await platform.crypto.keyFromSeed(platform.random.bytes(32))
  const store = createMemoryStore()
  return createPlane(entities, await openRuntime({ ...platform, key, store }, { entities }), {
    report,
  })
}

test.each(entities)('consecutive calls of a subscription always differ: $type', async (each) => {
  const plane = await open()
  let id = 0
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(11), { minLength: 1, maxLength: 12 }), async (numbers) => {
      const client = plane.get(each as typeof Counter, `${id++}`)
      const states: Json[] = []
      const lists: Json[] = []
      const stops = [
        client.subscribe((state) => states.push(state)),
        plane.subscribe(each, (rows) => lists.push(rows as never), { prefix: client.id }),
      ]
      for (const n of numbers) await client.change(n, { durability: 'memory' })
      const last = await client.state()
      await vi.waitFor(() => expect(states.at(-1)).toEqual(last))
      for (const stop of stops) stop()
      for (const seen of [states, lists]) {
        seen.slice(1).forEach((state, i) => expect(state).not.toEqual(seen[i]))
      }
    }),
    { numRuns: 20 },
  )
  await plane.close()
})

test('a listener that throws is reported as a fault of the application, and affects nothing else', async () => {
  const reported: PeerplaneError[] = []
  const plane = await open((error) => reported.push(error))
  const client = plane.get(Counter, 'x')
  const mistake = new TypeError('a mistake of the application')
  const calls = { entity: 0, type: 0, status: 0, later: 0 }
  const failing = (name: keyof typeof calls) => (): void => {
    calls[name] += 1
    throw mistake
  }
  client.subscribe(failing('entity'))
  plane.subscribe(Counter, failing('type'))
  plane.onStatus(failing('status'))
  const late: unknown = async () => failing('later')()
  client.subscribe(late as () => void)
  const seen: { states: number[]; rows: number[] } = { states: [], rows: [] }
  client.subscribe((state) => seen.states.push(state))
  plane.subscribe(Counter, (rows) => seen.rows.push(rows.length))

  await client.change(2)
  await vi.waitFor(() => expect(seen.rows.at(-1)).toBe(1))
  // Longer than after any failure of the storage, which is tried again.
  await new Promise((resolve) => setTimeout(resolve, 1_200))
  expect(seen.states).toEqual([0, 1])
  expect(calls).toMatchObject({ entity: 2, later: 2 })
  expect(calls.type).toBeLessThanOrEqual(2)
  expect(calls.status).toBeGreaterThan(0)
  expect(reported).toHaveLength(calls.entity + calls.type + calls.status + calls.later)
  for (const error of reported)
    expect(error).toMatchObject({ code: 'listener-failed', cause: mistake })
  expect(plane.status()).toMatchObject({ storage: 'ok', lastError: undefined })
  await plane.close()
})

test('without anybody to report to, a listener that throws is printed, and the process goes on', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const plane = await open()
  const client = plane.get(Counter, 'x')
  client.subscribe(() => {
    throw new TypeError('a mistake of the application')
  })
  await client.change(2)
  expect(await client.state()).toBe(1)
  expect(printed).toHaveBeenCalledWith(expect.objectContaining({ code: 'listener-failed' }))
  printed.mockRestore()
  await plane.close()
})
