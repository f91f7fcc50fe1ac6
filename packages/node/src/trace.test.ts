import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, expect, test } from 'vitest'

import {
  counter,
  entity,
  open,
  record,
  Rejected,
  type PeerplaneError,
  type TraceName,
} from './index.ts'

const Tally = entity('tally', {
  state: record({ votes: counter() }),
  commands: {
    vote: (tally) => tally.votes.increment(),
    refuse: () => {
      throw new Rejected('no', 'not today')
    },
  },
})
const data = mkdtempSync(join(tmpdir(), 'peerplane-'))
afterAll(() => rmSync(data, { recursive: true }))

test('a plane tells its trace what it does, in the order in which it happens', async () => {
  const told: TraceName[] = []
  const plane = await open({
    entities: [Tally],
    data,
    network: false,
    trace: (name) => told.push(name),
  })
  await plane.get(Tally, 'a').vote()
  await expect(plane.get(Tally, 'a').refuse()).rejects.toMatchObject({ rejection: 'no' })
  await plane.close()
  const awaited: TraceName[] = [
    'plane.opened',
    'command.called',
    'session.begun',
    'commit.appended',
    'store.wrote',
    'commits.stored',
    'space.founded',
    'command.settled',
    'command.refused',
    'rows.flushed',
    'plane.closed',
  ]
  expect(told.filter((event) => awaited.includes(event)).filter(isFirst)).toEqual(awaited)
})

test('a trace function that throws is reported, and the plane continues', async () => {
  const reported: PeerplaneError[] = []
  const plane = await open({
    entities: [Tally],
    data,
    space: 'other',
    network: false,
    trace: () => {
      throw new RangeError('of the application')
    },
    onError: (error) => reported.push(error),
  })
  expect((await plane.get(Tally, 'a').vote()).durability).toBe('synced')
  await plane.close()
  expect(new Set(reported.map(({ code }) => code))).toEqual(new Set(['listener-failed']))
})

const isFirst = (event: TraceName, at: number, all: readonly TraceName[]): boolean =>
  all.indexOf(event) === at
