import { expect, test } from 'vitest'

import type { SessionId } from '../ids.ts'
import { compactFrontier, expandFrontier, missing } from './frontier.ts'
import type { Tip } from './tip.ts'

const tip = (session: string, seq: number, mark = `${session}${seq}`): Tip => ({
  session: session as SessionId,
  seq,
  mark,
})
const frontier = (...tips: Tip[]): Map<SessionId, Tip> =>
  new Map(tips.map((each) => [each.session, each]))
const lineage = (parents: Record<string, Tip[]>) => (session: SessionId) => parents[session]

test('a parent that is held exactly is implied, through any number of sessions', () => {
  const parents = lineage({ S3: [tip('S2', 4)], S2: [tip('S1', 8)], S1: [] })
  const held = frontier(tip('S1', 8), tip('S2', 4), tip('S3', 1))
  const compact = compactFrontier(held, parents)
  expect(compact).toEqual([tip('S3', 1)])
  expect(expandFrontier(compact, parents)).toEqual(held)
})

test.each([
  ['a tail beyond the parent', tip('S1', 10)],
  ['less than the parent', tip('S1', 5)],
  ['another commit at the parent', tip('S1', 8, 'fork')],
])('%s is listed', (_, held) => {
  const parents = lineage({ S2: [tip('S1', 8)] })
  const compact = compactFrontier(frontier(held, tip('S2', 3)), parents)
  expect(compact).toEqual([held, tip('S2', 3)])
  expect(expandFrontier(compact, parents).get('S1' as SessionId)).toEqual(held)
})

test('a session whose opening is not held implies nothing', () => {
  expect(expandFrontier([tip('S2', 3)], () => undefined)).toEqual(frontier(tip('S2', 3)))
})

test('what is missing starts after what is held', () => {
  const ours = frontier(tip('A', 3), tip('B', 7))
  const theirs = frontier(tip('A', 5), tip('B', 2), tip('C', 1))
  expect(missing(ours, theirs)).toEqual([
    { session: 'A', from: 4, to: 5 },
    { session: 'C', from: 1, to: 1 },
  ])
})
