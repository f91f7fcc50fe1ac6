import { counter, entity, type Scheduler } from '@peerplane/core'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import type { Backend } from '../contract/backend.ts'
import type { Outcome } from '../contract/invocation.ts'
import { openAlone } from '../testing/index.ts'
import { createPlane, type Plane } from './plane.ts'

const Count = entity('count', {
  state: counter(),
  commands: { up: (count, by: number) => count.increment(by) },
})

/** Timers that end on demand. */
class Timers implements Scheduler {
  readonly #tasks = new Map<() => void, number>()

  get delays(): number[] {
    return [...this.#tasks.values()]
  }

  after(delayMs: number, task: () => void): () => void {
    this.#tasks.set(task, delayMs)
    return () => void this.#tasks.delete(task)
  }

  end(): void {
    for (const task of this.#tasks.keys()) task()
  }
}

/** What a backend has been asked, and how its answers are held back. */
let backend: Backend
let held: PromiseWithResolvers<void>
let timers: Timers
let plane: Plane
let asked: number

beforeEach(async () => {
  const real = await openAlone([Count])
  held = Promise.withResolvers<void>()
  asked = 0
  const later =
    <Given extends readonly unknown[], T>(ask: (...given: Given) => Promise<T>) =>
    async (...given: Given): Promise<T> => {
      asked++
      const answer = ask(...given)
      await held.promise
      return answer
    }
  backend = {
    ...real,
    invoke: later(real.invoke),
    outcome: later(real.outcome),
    list: later(real.list),
    invite: later(real.invite),
    setOnline: later(real.setOnline),
    watchEntity: (type, id, listener) =>
      real.watchEntity(type, id, (loaded) => void held.promise.then(() => listener(loaded))),
    close: later(real.close),
  }
  timers = new Timers()
  plane = createPlane([Count], backend, { scheduler: timers })
})

afterEach(async () => {
  held.resolve()
  await backend.close()
})

const waits: readonly (readonly [string, (wait: object) => Promise<unknown>])[] = [
  ['list', (wait) => plane.list(Count, {}, wait)],
  ['outcome', (wait) => plane.outcome('a', wait)],
  ['invite', (wait) => plane.invite(wait)],
  ['goOffline', (wait) => plane.goOffline(wait)],
  ['goOnline', (wait) => plane.goOnline(wait)],
  ['state', (wait) => plane.get(Count, 'a').state(wait)],
  ['close', (wait) => plane.close(wait)],
]

test.each(waits)('%s ends when its signal is aborted', async (_, call) => {
  const controller = new AbortController()
  const answer = call({ signal: controller.signal })
  controller.abort(new Error('left'))
  await expect(answer).rejects.toMatchObject({ code: 'aborted', cause: { message: 'left' } })
})

test.each(waits)('%s ends when its time is over', async (_, call) => {
  const answer = call({ timeoutMs: 50 })
  answer.catch(() => undefined)
  await vi.waitFor(() => expect(timers.delays).toEqual([50]))
  timers.end()
  await expect(answer).rejects.toMatchObject({ code: 'timeout' })
})

test.each(waits)('%s with a signal that is aborted before asks for nothing', async (_, call) => {
  await expect(call({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' })
  expect(asked).toBe(0)
})

test.each([
  ['a command', (wait: object) => plane.get(Count, 'a').up(1, wait)],
  ['atomic', (wait: object) => plane.atomic((on) => on(plane.get(Count, 'a')).up(1), wait)],
])(
  '%s that nobody waits for any longer is unknown, and its outcome tells',
  async (_, call: (wait: object) => Promise<unknown>) => {
    const controller = new AbortController()
    const answer = call({ signal: controller.signal })
    controller.abort()
    const error = (await answer.catch((thrown: unknown) => thrown)) as { operationId: string }
    expect(error).toMatchObject({ code: 'unknown', operationId: expect.any(String) })
    held.resolve()
    const outcome = (await plane.outcome(error.operationId)) as Outcome
    expect(outcome).toMatchObject({ commit: expect.any(String) })
    expect(await plane.get(Count, 'a').state()).toBe(1)
  },
)

test('nothing of a wait is left behind when the answer is in time', async () => {
  held.resolve()
  const { signal } = new AbortController()
  const removed = vi.spyOn(signal, 'removeEventListener')
  await plane.list(Count, {}, { signal, timeoutMs: 50 })
  expect(removed).toHaveBeenCalledOnce()
  expect(timers.delays).toEqual([])
})
