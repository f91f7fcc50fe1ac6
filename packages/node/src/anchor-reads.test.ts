import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, expect, test, vi } from 'vitest'

import { entity, open, record, register, type Plane } from './index.ts'

const Note = entity('note', {
  state: record({ text: register('') }),
  commands: { write: (note, text: string) => note.text.set(text) },
})

const folder = mkdtempSync(join(tmpdir(), 'peerplane-anchor-reads-'))
const planes: Plane[] = []

afterEach(async () => {
  await Promise.all(planes.splice(0).map((plane) => plane.close()))
  rmSync(folder, { recursive: true, force: true })
})

// SECURITY.md says so. Encryption that hides it from anchors makes this test fail, and the page is then to be changed with it.
test('an anchor that declares no entities stores in plain text what members write', async () => {
  const listen = ['/ip4/127.0.0.1/tcp/0']
  const data = join(folder, 'anchor')
  const anchor = await open({ entities: [], data, listen, anchor: true })
  planes.push(anchor)
  const invitation = await anchor.invite()
  const member = await open({ entities: [Note], data: join(folder, 'member'), join: invitation })
  planes.push(member)
  await member.get(Note, 'first').write('words that an anchor can read')
  await vi.waitFor(() => expect(filesOf(data)).toContain('words that an anchor can read'), {
    timeout: 20_000,
    interval: 100,
  })
})

/** All bytes below a folder, one character each. */
function filesOf(path: string): string {
  const files = globSync('**/*', { cwd: path, withFileTypes: true }).filter((file) => file.isFile())
  return files.map((file) => readFileSync(join(file.parentPath, file.name), 'latin1')).join('\n')
}
