import { counter, entity, limits } from '@peerplane/core'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import type { LocalBackend } from '../contract/backend.ts'
import type { Loaded } from '../contract/states.ts'
import { openAlone } from '../testing/index.ts'
import type { Known } from './client.ts'
import { createPlane, type Plane } from './plane.ts'

const Count = entity('count', {
  state: counter(),
  commands: { up: (count, by: number) => count.increment(by) },
})

let backend: LocalBackend
let plane: Plane

beforeEach(async () => {
  backend = await openAlone([Count])
  plane = createPlane([Count], backend)
})

afterEach(() => plane.close())

test('a client has these members of its own, whatever its entity is', () => {
  const members = Object.keys(plane.get(Count, 'a')).filter((name) => name !== 'up')
  expect(members.sort()).toEqual(['id', 'peek', 'state', 'subscribe', 'type', 'watch'])
})

test.each(['id', 'type', 'state', 'peek', 'subscribe', 'watch', 'then'])(
  'no command is called %s',
  (name) => {
    const commands = { [name]: () => undefined }
    expect(() => entity('count', { state: counter(), commands })).toThrow(
      expect.objectContaining({ code: 'invalid-declaration' }),
    )
  },
)

test('what nobody watches is loading', async () => {
  await plane.get(Count, 'a').up(1)
  expect(plane.get(Count, 'a').peek()).toEqual({ phase: 'loading' })
})

test('watch says loading, then ready, and each change', async () => {
  const seen: Known[] = []
  const count = plane.get(Count, 'a')
  const stop = count.watch((known) => seen.push(known))
  expect(seen).toEqual([{ phase: 'loading' }])
  await vi.waitFor(() => expect(seen.at(-1)).toMatchObject({ phase: 'ready', state: 0 }))
  await count.up(2)
  await vi.waitFor(() =>
    expect(seen.at(-1)).toEqual({
      phase: 'ready',
      state: 2,
      version: '',
      pending: 0,
      incomplete: false,
      conflict: false,
      size: { bytes: expect.any(Number), ops: 1, mostBytes: limits.entityCommandBytes },
    }),
  )
  stop()
  expect(count.peek()).toEqual({ phase: 'loading' })
})

test('peek gives what another client of the same entity watches, the same object until it changes', async () => {
  const stop = plane.get(Count, 'a').watch(() => undefined)
  const count = plane.get(Count, 'a')
  await vi.waitFor(() => expect(count.peek().phase).toBe('ready'))
  const before = count.peek()
  expect(Object.isFrozen(before)).toBe(true)
  const second = plane.get(Count, 'a').subscribe(() => undefined)
  await plane.get(Count, 'b').up(1)
  expect(count.peek()).toBe(before)
  await count.up(1)
  expect(count.peek()).toMatchObject({ phase: 'ready', state: 1 })
  stop()
  second()
})

test('what cannot be read is unreadable, with its problem', async () => {
  const problem = { code: 'unreadable', message: 'it is damaged' }
  const broken = createPlane([Count], {
    ...backend,
    watchEntity: (_, __, listener: (entity: Loaded) => void) => {
      listener({ phase: 'unreadable', problem })
      return () => undefined
    },
  })
  const count = broken.get(Count, 'a')
  const seen: Known[] = []
  const stop = count.watch((known) => seen.push(known))
  expect(seen).toEqual([{ phase: 'unreadable', problem }])
  expect(count.peek()).toEqual({ phase: 'unreadable', problem })
  stop()
  await expect(count.state()).rejects.toMatchObject({ code: 'unreadable' })
})
