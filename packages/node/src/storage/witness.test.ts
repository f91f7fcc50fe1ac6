import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { counter, entity, open, record, type Plane, type PlaneStatus } from '../index.ts'
import { currentStatus } from '../problem.ts'

const root = mkdtempSync(join(tmpdir(), 'peerplane-'))
afterAll(() => rmSync(root, { recursive: true }))

const Tally = entity('tally', {
  state: record({ votes: counter() }),
  commands: { vote: (tally) => tally.votes.increment() },
})

const openAt = (data: string): Promise<Plane> => open({ entities: [Tally], data, network: false })

/** What a device says after its files were changed while nobody had them open. */
interface Opened {
  readonly votes: number
  readonly status: PlaneStatus
}

/** Opens a copy of `image` after `damage` was done to its files. */
async function after(image: string, damage: (path: string) => void): Promise<Opened> {
  const data = mkdtempSync(join(root, 'copy-'))
  cpSync(image, data, { recursive: true })
  damage(join(data, 'default', 'store.db'))
  const plane = await openAt(data)
  try {
    const { votes } = await plane.get(Tally, 'lunch').state()
    return { votes, status: await currentStatus((listener) => plane.onStatus(listener)) }
  } finally {
    await plane.close()
  }
}

const flip = (path: string, share: number): void => {
  const bytes = readFileSync(path)
  bytes[Math.floor(share * bytes.length)]! ^= 16
  writeFileSync(path, bytes)
}

const cut = (path: string, share: number): void =>
  truncateSync(path, Math.floor(share * readFileSync(path).length))

const VOTES = 12

describe('a process that is killed', () => {
  /** Data directories as a killed process leaves them: founded a moment ago, and in its second session. */
  let young: string
  let killed: string

  beforeAll(async () => {
    const data = mkdtempSync(join(root, 'device-'))
    young = mkdtempSync(join(root, 'young-'))
    killed = mkdtempSync(join(root, 'killed-'))
    const first = await openAt(data)
    for (let i = 0; i < 4; i++) await first.get(Tally, 'lunch').vote()
    cpSync(data, young, { recursive: true })
    await first.close()
    const second = await openAt(data)
    for (let i = 4; i < VOTES; i++) await second.get(Tally, 'lunch').vote()
    cpSync(data, killed, { recursive: true })
    await second.close()
  })

  const shares = [0, 0.1, 0.25, 0.4, 0.6, 0.75, 0.9, 0.99]

  it.each([
    ...shares.map((share) => [`cut at ${share}`, (wal: string) => cut(wal, share)] as const),
    ...shares.map((share) => [`damaged at ${share}`, (wal: string) => flip(wal, share)] as const),
    ['deleted', (wal: string) => rmSync(wal)] as const,
  ])(
    'the status says which commits are lost with the write-ahead log of SQLite: %s',
    async (_, damage) => {
      const { votes, status } = await after(killed, (path) => damage(`${path}-wal`))
      expect(votes).toBe(status.commits)
      expect(votes).toBeLessThan(VOTES)
      expect(status).toMatchObject({ lost: VOTES - votes, lastError: { code: 'storage-lost' } })
      expect(status.lastError?.message).toContain(`${VOTES - votes} of session `)
    },
  )

  it('lost commits are reported at each opening, until other devices have sent them again', async () => {
    const data = mkdtempSync(join(root, 'again-'))
    cpSync(killed, data, { recursive: true })
    rmSync(join(data, 'default', 'store.db-wal'))
    for (let times = 1; times <= 3; times++) {
      const plane = await openAt(data)
      await plane.get(Tally, 'lunch').vote()
      expect(plane.status()).toMatchObject({ lost: VOTES - 4, commits: 4 + times })
      await plane.close()
    }
  })

  it('a device is not mistaken for a new one if all its data was in a write-ahead log of SQLite that is lost', async () => {
    await expect(after(young, (path) => rmSync(`${path}-wal`))).rejects.toMatchObject({
      code: 'storage-lost',
    })
  })

  it.each([
    ...shares.map((share) => [`cut at ${share}`, (file: string) => cut(file, share)] as const),
    ...shares.map((share) => [`damaged at ${share}`, (file: string) => flip(file, share)] as const),
    ['deleted', (file: string) => rmSync(file)] as const,
  ])('nothing is reported as lost if only the witness is damaged: %s', async (_, damage) => {
    const { votes, status } = await after(killed, (path) => damage(`${path}-witness`))
    expect({ votes, lost: status.lost, error: status.lastError }).toEqual({
      votes: VOTES,
      lost: 0,
      error: undefined,
    })
  })

  it('the status says which commits are missing in a database that was restored from an older copy', async () => {
    const { votes, status } = await after(killed, (path) => {
      rmSync(`${path}-wal`)
      copyFileSync(join(young, 'default', 'store.db'), path)
      copyFileSync(join(young, 'default', 'store.db-wal'), `${path}-wal`)
    })
    expect({ votes, lost: status.lost }).toEqual({ votes: 4, lost: VOTES - 4 })
  })
})

it('makes no witness before something is stored, and keeps it to its owner', async () => {
  const data = mkdtempSync(join(root, 'device-'))
  const path = join(data, 'default', 'store.db-witness')
  const plane = await openAt(data)
  expect(existsSync(path)).toBe(false)
  await plane.get(Tally, 'lunch').vote()
  expect(statSync(path).mode & 0o777).toBe(0o600)
  await plane.close()
})
