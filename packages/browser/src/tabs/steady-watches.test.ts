import type { RemoteBackend } from '@peerplane/runtime/contract'
import { expect, test } from 'vitest'

import { SteadyWatches } from './steady-watches.ts'

/** A backend whose watches show something as they start; `open` counts those that have not ended. */
function shows(shown: () => void): { readonly backend: RemoteBackend; open: number } {
  const counted = {
    open: 0,
    backend: {
      watchStatus: () => {
        counted.open += 1
        shown()
        return () => {
          counted.open -= 1
        }
      },
    } as unknown as RemoteBackend,
  }
  return counted
}

const watch = (backend: RemoteBackend): (() => void) => backend.watchStatus(() => undefined)
const fail = (error: unknown): never => {
  throw error
}

test('a watch whose first update takes the backend away leaves nothing open there', () => {
  const watches = new SteadyWatches(fail)
  const first = shows(() => watches.attach(undefined))
  watches.add(watch)
  watches.attach(first.backend)
  expect(first.open).toBe(0)
  const second = shows(() => watches.attach(undefined))
  watches.attach(second.backend)
  watches.add(watch)
  expect(second.open).toBe(0)
})

test('a watch whose first update moves it to another backend is open there only', () => {
  const watches = new SteadyWatches(fail)
  const second = shows(() => undefined)
  const first = shows(() => watches.attach(second.backend))
  const stop = watches.add(watch)
  watches.attach(first.backend)
  expect([first.open, second.open]).toEqual([0, 1])
  stop()
  expect([first.open, second.open]).toEqual([0, 0])
})

test('a watch that is ended by its first update on a later backend leaves nothing open', () => {
  const watches = new SteadyWatches(fail)
  const stop = watches.add(watch)
  const first = shows(() => stop())
  watches.attach(first.backend)
  expect(first.open).toBe(0)
})
