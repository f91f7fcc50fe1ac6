import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, expect, test, vi } from 'vitest'

import { counter, entity, open, record, type Plane } from './index.ts'

const Tally = entity('tally', {
  state: record({ votes: counter() }),
  commands: { vote: (tally) => tally.votes.increment() },
})

const folder = mkdtempSync(join(tmpdir(), 'peerplane-reconnect-'))
const planes: Plane[] = []

afterEach(async () => {
  await Promise.all(planes.splice(0).map((plane) => plane.close()))
  rmSync(folder, { recursive: true, force: true })
})

test('30 of 30 commits made around a disconnect are there within 3 s of reconnecting', async () => {
  const listen = ['/ip4/127.0.0.1/tcp/0']
  const anchor = await open({ entities: [Tally], data: join(folder, 'a'), listen, anchor: true })
  planes.push(anchor)
  const invitation = await anchor.invite()
  const device = await open({ entities: [Tally], data: join(folder, 'b'), join: invitation })
  planes.push(device)
  const votes = async (plane: Plane): Promise<number> => {
    const { votes: count } = await plane.get(Tally, 'lunch').state()
    return count
  }
  const vote = (plane: Plane, times: number): Promise<unknown> =>
    Promise.all(Array.from({ length: times }, () => plane.get(Tally, 'lunch').vote()))

  await vi.waitFor(() => expect(device.status()?.peers).toHaveLength(1), 5_000)
  // Five of each before, while, and as the connection goes: some of these are on their way and get lost.
  const before = Promise.all([vote(anchor, 5), vote(device, 5)])
  const going = device.goOffline()
  await Promise.all([before, going, vote(anchor, 5), vote(device, 5)])
  await vi.waitFor(() => expect(device.status()?.network?.connections).toHaveLength(0))
  await Promise.all([vote(anchor, 5), vote(device, 5)])

  await device.goOnline()
  await vi.waitFor(
    async () => expect([await votes(anchor), await votes(device)]).toEqual([30, 30]),
    { timeout: 3_000, interval: 20 },
  )
})
