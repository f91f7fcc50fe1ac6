import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { journalContract, ManualClock, seededRandom } from '@peerplane/core/testing'
import { afterAll, expect, test } from 'vitest'

import { openSqliteJournal } from './sqlite-journal.ts'

const root = mkdtempSync(join(tmpdir(), 'peerplane-'))
const random = seededRandom(1)
let files = 0
afterAll(() => rmSync(root, { recursive: true }))

const freshPath = (): string => join(root, `${++files}.journal`)

journalContract('SQLite', async () => {
  const path = freshPath()
  const clock = new ManualClock(1_000)
  return {
    open: () => openSqliteJournal({ path, clock, random }),
    pass: async (ms) => {
      clock.ms += ms
    },
  }
})

test('a journal of a newer version is not touched', async () => {
  const path = freshPath()
  const clock = new ManualClock(1_000)
  await (await openSqliteJournal({ path, clock, random })).close()
  const database = new DatabaseSync(path)
  database.exec('PRAGMA user_version = 2')
  database.close()
  const opening = openSqliteJournal({ path, clock, random })
  await expect(opening).rejects.toMatchObject({ code: 'store-version' })
})

test('another program that writes for too long fails the append, and nothing is written', async () => {
  const path = freshPath()
  const clock = new ManualClock(1_000)
  const journal = await openSqliteJournal({ path, clock, random, busyMs: 10 })
  const claim = await journal.claim(0, 'A', 1_000)
  if (claim.outcome !== 'claimed') throw new Error('not claimed')
  const database = new DatabaseSync(path)
  database.exec('BEGIN IMMEDIATE')
  const group = { events: [], outcomes: [], watermarks: [], snapshots: [] }
  await expect(journal.append(claim.lease, group)).rejects.toMatchObject({ code: 'store-locked' })
  database.close()
  expect(await journal.append(claim.lease, group)).toEqual({ outcome: 'written' })
  await journal.close()
})
