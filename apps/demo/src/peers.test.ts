import type { PlaneStatus } from '@peerplane/browser'
import { expect, test } from 'vitest'

import { problemsOf } from './peers.ts'

const well = { undone: 0, lastError: undefined, network: undefined } as PlaneStatus

test('the demo says what is wrong, and what to do', () => {
  expect(problemsOf(well)).toEqual([])
  expect(problemsOf({ ...well, undone: 1 })).toEqual([
    expect.stringMatching(/^1 change was made here and then taken back.* Free space/),
  ])
  const lastError = { code: 'store-full', message: 'The disk is full.' }
  expect(problemsOf({ ...well, undone: 2, lastError })).toEqual([
    expect.stringMatching(/^2 changes were made here/),
    'The disk is full.',
  ])
})
