import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, expect, it, vi } from 'vitest'

import { document, entity, open } from './index.ts'

const root = mkdtempSync(join(tmpdir(), 'peerplane-'))
afterAll(() => rmSync(root, { recursive: true }))

const Paper = entity('paper', {
  state: document({ text: 'begin end' }),
  commands: {
    paste(paper, { at, text }: { at: number; text: string }) {
      const from = paper.positionAt(['text'], at, 'previous')
      paper.splice(['text'], at, 0, text)
      return { from, to: paper.positionAt(['text'], at + text.length) }
    },
    cut(paper, { from, to }: { from: string; to: string }) {
      const start = paper.indexOf(['text'], from)
      paper.splice(['text'], start, paper.indexOf(['text'], to) - start, '')
    },
    press(paper, key: string) {
      paper.splice(['text'], paper.text.length, 0, key)
    },
  },
})

it('a paste and a cut beyond one change are shown on another device, and what is typed there meanwhile is kept', async () => {
  const options = (name: string) => ({ entities: [Paper], data: join(root, name) })
  const one = await open({ ...options('one'), listen: ['/ip4/127.0.0.1/tcp/0'] })
  const two = await open({ ...options('two'), join: await one.invite(), listen: [] })
  const [here, there] = [one.get(Paper, 'x'), two.get(Paper, 'x')]
  const pasted = 'A line with 👍.\n'.repeat(4_000)
  const shown = async (right: string): Promise<void> => {
    await vi.waitFor(
      async () => {
        for (const paper of [here, there]) expect((await paper.state()).text === right).toBe(true)
      },
      { timeout: 20_000, interval: 50 },
    )
  }
  await there.press('0')
  await shown('begin end0')
  const [{ reply: range }] = await Promise.all([
    here.paste({ at: 6, text: pasted }),
    there.press('1'),
    there.press('2'),
  ])
  await shown(`begin ${pasted}end012`)
  await Promise.all([here.cut(range), there.press('3'), there.press('4')])
  await shown('begin end01234')
  await Promise.all([one.close(), two.close()])
})
