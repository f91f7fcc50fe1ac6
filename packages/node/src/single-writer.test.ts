import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, expect, test, vi } from 'vitest'

import { entity, events, open, value, type OpenOptions, type Plane } from './index.ts'

const Journal = entity('journal', {
  state: events([] as string[], { added: (list, text: string) => [...list, text] }),
  commands: {
    add: (journal, text: string) => journal.emit('added', text),
    takeOver: (journal) => journal.choose(journal.branches[0]!.key),
    branches: ({ branches }) => branches.map((branch) => branch.value),
    choose: ({ branches, choose }, text: string) =>
      choose(branches.find((branch) => branch.value.includes(text))!.key),
    who: (_, __: undefined, { device }) => device,
  },
})
const Setting = entity('setting', {
  state: value({ dark: false }),
  commands: { set: (setting, dark: boolean) => setting.set({ dark }) },
})

const folder = mkdtempSync(join(tmpdir(), 'peerplane-writer-'))
const planes: Plane[] = []
const start = async (name: string, options: Partial<OpenOptions> = {}): Promise<Plane> => {
  const plane = await open({ entities: [Journal, Setting], data: join(folder, name), ...options })
  planes.push(plane)
  return plane
}
const listen = ['/ip4/127.0.0.1/tcp/0']

afterEach(async () => {
  await Promise.all(planes.splice(0).map((plane) => plane.close()))
  rmSync(folder, { recursive: true, force: true })
})

const shows = (plane: Plane, expected: readonly string[], branches: number): Promise<void> =>
  vi.waitFor(
    async () => {
      const journal = plane.get(Journal, 'day')
      expect(await journal.state()).toEqual(expected)
      expect((await journal.branches()).reply).toHaveLength(branches)
    },
    { timeout: 10_000, interval: 50 },
  )

test('a restored backup makes a conflict, the owner chooses, and all devices agree', async () => {
  const anchor = await start('anchor', { listen, anchor: true })
  const join = await anchor.invite()
  let device = await start('device', { join })
  await device.get(Journal, 'day').add('x')
  await device.close()
  cpSync(`${folder}/device`, `${folder}/backup`, { recursive: true })

  device = await start('device')
  await device.get(Journal, 'day').add('lost')
  await shows(anchor, ['x', 'lost'], 1)
  await device.close()

  const offline = await start('backup', { network: false })
  await offline.get(Journal, 'day').add('new')
  await offline.close()
  const restored = await start('backup')
  const conflicts: boolean[] = []
  anchor.get(Journal, 'day').watch((known) => {
    if (known.phase === 'ready') conflicts.push(known.conflict)
  })
  await Promise.all([anchor, restored].map((plane) => shows(plane, ['x', 'new'], 2)))
  await vi.waitFor(() => expect(conflicts.at(-1)).toBe(true))
  await expect(anchor.get(Journal, 'day').add('not mine')).rejects.toMatchObject({
    rejection: 'not-writer',
  })

  await restored.get(Journal, 'day').choose('lost')
  await restored.get(Journal, 'day').add('kept')
  await Promise.all([anchor, restored].map((plane) => shows(plane, ['x', 'lost', 'kept'], 1)))

  await vi.waitFor(() => expect(conflicts.at(-1)).toBe(false))

  await anchor.get(Journal, 'day').takeOver()
  await anchor.get(Journal, 'day').add('by the anchor')
  await shows(restored, ['x', 'lost', 'kept', 'by the anchor'], 1)
})

test('an entity whose id names its device is written by this device only', async () => {
  const anchor = await start('anchor', { listen, anchor: true })
  const device = await start('device', { join: await anchor.invite() })
  const { reply } = await device.get(Journal, 'any').who()
  const own = device.get(Setting, `${reply as string}/theme`)
  await own.set(true)
  const seen = anchor.get(Setting, own.id)
  await vi.waitFor(async () => expect(await seen.state()).toEqual({ dark: true }), 10_000)
  await expect(seen.set(false)).rejects.toMatchObject({ rejection: 'not-writer' })
  await device.close()
  const again = await start('device')
  expect(await again.get(Setting, own.id).state()).toEqual({ dark: true })
  await again.get(Setting, own.id).set(false)
  await vi.waitFor(async () => expect(await seen.state()).toEqual({ dark: false }), 10_000)
})
