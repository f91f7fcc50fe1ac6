import { expect, it } from 'vitest'

import { monotonic } from './monotonic.ts'

it('goes on from where it was when the wall clock goes back', () => {
  let wall = 1_000
  const now = monotonic({ now: () => wall })
  expect(now()).toBe(1_000)
  wall = 1_500
  expect(now()).toBe(1_500)
  wall = 100
  expect(now()).toBe(1_500)
  wall = 300
  expect(now()).toBe(1_700)
})
