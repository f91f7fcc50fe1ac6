import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'

import { afterAll, expect, it } from 'vitest'

import { counter, entity, open, record } from './index.ts'

const root = mkdtempSync(join(tmpdir(), 'peerplane-'))
afterAll(() => rmSync(root, { recursive: true }))

const Tally = entity('tally', {
  state: record({ votes: counter() }),
  commands: { vote: (tally) => tally.votes.increment() },
})

const options = (space: string) => ({ entities: [Tally], data: root, space, network: false })

it('keeps what was acknowledged from one opening to the next', async () => {
  const first = await open(options('kept'))
  const outcome = await first.get(Tally, 'lunch').vote()
  expect(outcome.durability).toBe('synced')
  await first.close()
  const second = await open(options('kept'))
  expect(await second.get(Tally, 'lunch').state()).toEqual({ votes: 1 })
  await second.close()
})

it('commands that were called before closing are kept, even if nobody awaited them', async () => {
  const first = await open(options('called'))
  const votes = Array.from({ length: 50 }, (_, i) => first.get(Tally, `${i % 7}`).vote())
  await first.close()
  await Promise.all(votes)
  const second = await open(options('called'))
  const rows = await second.list(Tally)
  expect(rows.reduce((sum, { state }) => sum + state.votes, 0)).toBe(50)
  await second.close()
})

it('opens another store for another space', async () => {
  const planes = await Promise.all([open(options('one')), open(options('two'))])
  const [one, two] = planes.map((plane) => plane.status()?.space)
  expect(one).not.toBe(two)
  await Promise.all(planes.map((plane) => plane.close()))
})

it('refuses a second opening, and opens again after the first was closed', async () => {
  const first = await open(options('locked'))
  await expect(open(options('locked'))).rejects.toMatchObject({ code: 'store-locked' })
  await first.close()
  await (await open(options('locked'))).close()
})

it('a plane whose port is in use does not open, and releases its store', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const listening = (at: number) =>
    open({ ...options('port'), network: true, listen: [`/ip4/127.0.0.1/tcp/${at}/ws`] })
  await expect(listening(port)).rejects.toMatchObject({ code: 'port-in-use' })
  const plane = await listening(0)
  await plane.close()
  taken.close()
})

it.each(['', '.', '..', 'x'.repeat(300)])('refuses to call a space %j', async (space) => {
  await expect(open(options(space))).rejects.toMatchObject({ code: 'invalid-configuration' })
})

it('lets a program end that only works alone', () => {
  const source = `import { counter, entity, open, record } from '${import.meta.resolve('./index.ts')}'
    const Tally = entity('tally', { state: record({ votes: counter() }), commands: { vote: (t) => t.votes.increment() } })
    const plane = await open({ entities: [Tally], data: ${JSON.stringify(root)}, space: 'alone', network: false })
    await plane.get(Tally, 'lunch').vote()
    console.log((await plane.get(Tally, 'lunch').state()).votes)`
  const args = ['--conditions=@peerplane/source', '--input-type=module', '-e', source]
  const child = spawnSync(execPath, args, { encoding: 'utf8', timeout: 10_000 })
  expect(child).toMatchObject({ status: 0, stdout: '1\n', stderr: '' })
})
