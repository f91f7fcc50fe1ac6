import { counter, entity, type CounterHandle } from '@peerplane/core'
import { expect, test } from 'vitest'

import { createPlane } from './index.ts'
import { openAlone } from './testing/index.ts'

const state = counter()

test('a handler that is asynchronous does not compile', () => {
  entity('count', {
    state,
    commands: {
      up: (count) => count.increment(),
      // @ts-expect-error a promise
      late: async (count) => count.increment(),
      // @ts-expect-error perhaps a promise
      perhaps: (count) => (count.value > 0 ? Promise.resolve() : undefined),
      // @ts-expect-error a generator
      *steps(count: CounterHandle) {
        yield count.increment()
      },
    },
  })
})

test('if the callback of atomic is asynchronous or returns a value, the call does not compile, and is refused at run time', async () => {
  const Count = entity('count', { state, commands: { up: (count) => count.increment() } })
  const plane = createPlane([Count], await openAlone([Count]))
  const count = plane.get(Count, 'a')
  await plane.atomic((on) => on(count).up())
  const refused = [
    // @ts-expect-error a promise
    plane.atomic(async (on) => on(count).up()),
    // @ts-expect-error a list
    plane.atomic((on) => [on(count).up()]),
    // @ts-expect-error no function
    plane.atomic(count),
    // @ts-expect-error no client
    plane.atomic((on) => on({ type: 'count', id: 'a' }).up()),
  ]
  for (const each of refused) await expect(each).rejects.toMatchObject({ code: 'invalid-input' })
  expect(await count.state()).toBe(1)
  await plane.close()
})
