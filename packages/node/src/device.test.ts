import { copyFileSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { deviceContract } from '@peerplane/core/testing'
import type { DevicePlane, StoredRecords } from '@peerplane/core/testing'
import { afterAll, expect, it } from 'vitest'

import { counter, entity, open, record } from './index.ts'
import { currentStatus } from './problem.ts'

const root = mkdtempSync(join(tmpdir(), 'peerplane-'))
afterAll(() => rmSync(root, { recursive: true }))

const Tally = entity('tally', {
  state: record({ votes: counter() }),
  commands: { vote: (tally) => tally.votes.increment() },
})

async function openAt(data: string, invitation?: string): Promise<DevicePlane> {
  const plane = await open({ entities: [Tally], data, network: false, join: invitation })
  const tally = plane.get(Tally, 'lunch')
  return {
    vote: () => tally.vote(),
    votes: async () => (await tally.state()).votes,
    status: () => currentStatus((listener) => plane.onStatus(listener)),
    close: () => plane.close(),
  }
}

/** Keys of the parts, from and to. */
const ranges = { key: [0x34, 0x35], membership: [0x30, 0x31], log: [0x00, 0x30] } as const

deviceContract('Node', async () => {
  const [own, other] = [await inviteFrom(), await inviteFrom()]
  const data = mkdtempSync(join(root, 'device-'))
  return {
    own,
    other,
    open: (invitation) => openAt(data, invitation),
    remove: async (part) => {
      const database = new DatabaseSync(join(data, 'default', 'store.db'))
      const range = ranges[part].map((byte) => Uint8Array.of(byte))
      const { changes } = database
        .prepare('DELETE FROM pairs WHERE key >= ? AND key < ?')
        .run(...range)
      database.close()
      // Because of it, a missing store is not mistaken for a new one.
      if (part === 'log') rmSync(join(data, 'default', 'store.db-witness'), { force: true })
      if (Number(changes) === 0) throw new Error(`there was no ${part} to remove`)
    },
    records: async () => recordsOf(join(data, 'default', 'store.db')),
  }
})

function recordsOf(path: string): StoredRecords {
  const copy = `${path}-copy`
  copyFileSync(path, copy)
  const database = new DatabaseSync(copy)
  const rows = database.prepare('SELECT hex(key) AS name FROM pairs').all()
  database.close()
  return {
    names: rows.map(({ name }) => String(name)),
    restoreWithout: async (name) => {
      copyFileSync(copy, path)
      const restored = new DatabaseSync(path)
      restored.prepare('DELETE FROM pairs WHERE hex(key) = ?').run(name)
      restored.close()
    },
  }
}

async function inviteFrom(): Promise<string> {
  const data = mkdtempSync(join(root, 'host-'))
  const host = await open({ entities: [], data, network: false })
  const invitation = await host.invite()
  await host.close()
  return invitation
}

it('an invalid invitation leaves nothing behind', async () => {
  const data = join(root, 'untouched')
  await expect(openAt(data, 'pp1.nothing')).rejects.toMatchObject({ code: 'invalid-invitation' })
  expect(existsSync(data)).toBe(false)
})

/** Ways in which the store of an open plane goes away, and whether what is left of it can be distinguished from nothing. */
const losses: readonly [
  way: string,
  lose: (directory: string) => void,
  opened: 'storage-lost' | 'none' | 'joined',
][] = [
  ['its database is deleted', (at) => rmSync(join(at, 'store.db')), 'storage-lost'],
  [
    'its database is moved',
    (at) => renameSync(join(at, 'store.db'), join(at, 'moved')),
    'storage-lost',
  ],
  ['a copy takes the place of its database', replaceByCopy, 'joined'],
  ['its log of writes is deleted', (at) => rmSync(join(at, 'store.db-wal')), 'joined'],
  ['all of its directory is deleted', (at) => rmSync(at, { recursive: true }), 'none'],
]

function replaceByCopy(directory: string): void {
  const path = join(directory, 'store.db')
  copyFileSync(path, `${path}-copy`)
  renameSync(`${path}-copy`, path)
}

it.each(losses)(
  'a process that loses its store acknowledges no further command, and opening what is left of the store never creates a new device: %s',
  async (_, lose, opened) => {
    const data = mkdtempSync(join(root, 'lost-'))
    const own = await inviteFrom()
    const plane = await openAt(data, own)
    await plane.vote()
    const { space } = await plane.status()
    lose(join(data, 'default'))
    for (let i = 0; i < 2; i++) {
      await expect(plane.vote()).rejects.toMatchObject({ code: 'storage-lost' })
    }
    await expect.poll(async () => (await plane.status()).storage).toBe('failing')
    await plane.close().catch(() => undefined)

    expect(await outcomeOf(data)).toBe(opened)
    const joined = await openAt(data, own)
    expect(await joined.status()).toMatchObject({ space, membership: 'joined' })
    await joined.vote()
    await joined.close()
  },
)

/** The membership of the next plane that opens, or the code with which it is refused. */
async function outcomeOf(data: string): Promise<string> {
  try {
    const plane = await openAt(data)
    const { membership } = await plane.status()
    await plane.close()
    return membership
  } catch (error) {
    return (error as { readonly code: string }).code
  }
}
