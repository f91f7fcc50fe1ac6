import { limits } from '@peerplane/core'
import { expect, it } from 'vitest'

import { shareHandles } from './handles.ts'

it.each([Infinity, 65_536, 1_024])(
  'where %d file handles are allowed, all limits hold',
  (handles) => {
    expect(shareHandles(handles)).toEqual({
      seats: limits.connections,
      pending: limits.pendingConnections,
      pages: limits.httpSockets,
    })
  },
)

it.each([1_000, 512, 256])(
  'connections leave enough file handles for the store: %d file handles are allowed',
  (handles) => {
    const { seats, pending, pages } = shareHandles(handles)
    expect(2 * (seats + 3 * pending) + pages).toBeLessThanOrEqual(handles - limits.spareHandles)
    expect(Math.min(seats, pending, pages)).toBeGreaterThanOrEqual(4)
  },
)

it('knows what this system allows', () => {
  expect(shareHandles()).toEqual(shareHandles(Infinity))
})
