import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Plane } from '@peerplane/runtime'
import { afterAll, expect, it, vi } from 'vitest'

import { open } from './open.ts'
import type { OpenOptions } from './options.ts'

const folder = mkdtempSync(join(tmpdir(), 'peerplane-roles-'))
const planes = new Set<Plane>()
const listen = ['/ip4/127.0.0.1/tcp/0']
const PATIENCE = 20_000

afterAll(async () => {
  await Promise.all([...planes].map((plane) => plane.close()))
  rmSync(folder, { recursive: true, force: true })
})

/** A plane, and the names of what it has traced about roles. */
async function start(name: string, options: Partial<OpenOptions>): Promise<[Plane, string[]]> {
  const ignored: string[] = []
  const plane = await open({
    entities: [],
    data: join(folder, name),
    ...options,
    trace: (event, fields) => {
      if (event === 'role.ignored') ignored.push(String((fields as { device: string }).device))
    },
  })
  planes.add(plane)
  return [plane, ignored]
}

/** What `plane` says of the device of `other`, once they are connected. */
const seen = (plane: Plane, other: Plane): Promise<boolean> =>
  vi.waitFor(() => {
    const device = other.status()?.device
    const peer = plane.status()?.peers.find((each) => each.device === device)
    if (!peer) throw new Error('not connected')
    return peer.anchor
  }, PATIENCE)

it('the creator becomes an anchor through the option `anchor`, and any other device through an invitation by the creator or an anchor', async () => {
  const [founder] = await start('founder', { listen, anchor: true })
  const [member, own] = await start('member', { join: await founder.invite(), anchor: true })
  expect(await seen(founder, member)).toBe(false)
  expect(await seen(member, founder)).toBe(true)
  expect(own).toEqual([member.status()?.device])
  await expect(member.invite({ anchor: true })).rejects.toMatchObject({ code: 'not-allowed' })

  const [second] = await start('second', { listen, join: await founder.invite({ anchor: true }) })
  expect(await seen(founder, second)).toBe(true)
  await second.close()
  planes.delete(second)
  // The store knows: no option says it again.
  const [again, ignored] = await start('second', { listen })
  expect(await seen(founder, again)).toBe(true)
  const [third] = await start('third', { join: await again.invite({ anchor: true }) })
  expect(await seen(again, third)).toBe(true)
  expect(ignored).toEqual([])
}, 60_000)

it('a creator with the role of a member can invite anchors, but the option `anchor` does not make it an anchor', async () => {
  const [founder, ignored] = await start('plain', { listen })
  const [anchor] = await start('invited', { join: await founder.invite({ anchor: true }), listen })
  expect(await seen(founder, anchor)).toBe(true)
  expect(await seen(anchor, founder)).toBe(false)
  expect(ignored).toEqual([])
  await founder.close()
  planes.delete(founder)
  const [again, told] = await start('plain', { listen, anchor: true })
  expect(told).toEqual([again.status()?.device])
}, 60_000)
