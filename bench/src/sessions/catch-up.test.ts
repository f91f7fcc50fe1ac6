import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { open, type Plane } from '@peerplane/node'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { fill } from './fill.ts'
import { Item, LOCAL } from './item.ts'

let folder: string
let planes: Plane[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'peerplane-catch-up-'))
  planes = []
})
afterEach(async () => {
  await Promise.all(planes.map((plane) => plane.close()))
  rmSync(folder, { recursive: true, force: true })
})

async function openPlane(name: string, options: object): Promise<Plane> {
  const plane = await open({ entities: [Item], data: join(folder, name), ...options })
  planes.push(plane)
  return plane
}

/** A fresh device gets everything from one whose sessions have these sizes, each on top of the one before. */
async function catchUp(sizes: readonly number[]): Promise<void> {
  await fill(join(folder, 'old'), sizes, true)
  const old = await openPlane('old', { listen: [LOCAL] })
  const fresh = await openPlane('fresh', { join: await old.invite() })
  const all = sizes.reduce((sum, count) => sum + count, 1)
  await expect.poll(() => fresh.status()?.commits, { timeout: 30_000, interval: 50 }).toBe(all)
  expect(fresh.status()?.waiting).toBe(0)
  expect(await fresh.list(Item)).toEqual(await old.list(Item))
}

// More commits than may wait for others: a chain that becomes known from its end would fill the room.
test('eight sessions of 2,000 commits reach a fresh device', { timeout: 60_000 }, () =>
  catchUp(Array.from({ length: 8 }, () => 2_000)),
)

test('300 sessions of one commit reach a fresh device', { timeout: 60_000 }, () =>
  catchUp(Array.from({ length: 300 }, () => 1)),
)

test('sessions of any sizes reach a fresh device', { timeout: 60_000 }, async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(20))
  const sizes = Array.from(bytes, (byte) => (byte < 128 ? 1 + (byte % 3) : byte * 6))
  console.info(`sizes ${sizes.join(' ')}`)
  await catchUp(sizes)
})
