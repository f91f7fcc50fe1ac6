import {
  entity,
  readInvitation,
  record,
  register,
  toBase64Url,
  toHex,
  traceEvents,
} from '@peerplane/core'
import { systemPlatform } from '@peerplane/runtime'
import { expect, test, vi } from 'vitest'

import { ask, end, folderForEach, inFolder, up } from '../daemon.fixture.test.ts'
import { open } from '../open.ts'

vi.setConfig({ testTimeout: 60_000 })
folderForEach()

const Note = entity('note', {
  state: record({ text: register('') }),
  commands: { write: (note, text: string) => note.text.set(text) },
})

const inviteTo = (space: string): Promise<string> => ask(space, (daemon) => daemon.invite({}))

test('a daemon logs which devices come and go, and nothing that is secret or was typed', async () => {
  const anchor = await up('--space', 'anchor', '--anchor', '--log', 'debug', '--log-format', 'json')
  const invitation = await inviteTo('anchor')
  const other = await up('--space', 'other', '--join', invitation, '--log', 'debug')
  const plane = await open({ entities: [Note], data: inFolder(), space: 'app', join: invitation })
  await plane.get(Note, 'private-name').write('private-text')
  await vi.waitFor(() => expect(anchor.logged()).toContain('range.taken'), 20_000)
  await vi.waitFor(() => expect(other.logged()).toContain('range.taken'), 20_000)
  await plane.close()
  await vi.waitFor(() => expect(anchor.logged()).toContain('link.closed'), 20_000)
  for (const { child } of [anchor, other]) {
    await end(child, 'SIGTERM')
  }
  const { space, inviteSeed, grant } = await readInvitation(invitation, systemPlatform())
  const secrets = [invitation, invitation.slice(4, 60), 'private-name', 'private-text']
  for (const bytes of [space.secret, inviteSeed]) secrets.push(toHex(bytes), toBase64Url(bytes))
  expect(grant.notAfter).toBeGreaterThan(0)
  for (const secret of secrets) expect(anchor.logged() + other.logged()).not.toContain(secret)

  const lines = anchor.logged().trim().split('\n')
  const events = lines.map((line) => (JSON.parse(line) as { readonly event: string }).event)
  expect(events.filter((event) => !(event in traceEvents))).toEqual([])
  for (const event of ['daemon.ready', 'device.met', 'link.opened', 'link.closed'])
    expect(events).toContain(event)
  expect(events.slice(-1)).toEqual(['daemon.stopped'])
  for (const line of other.logged().trim().split('\n'))
    expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z (error|warn |info |debug) [a-z]+\.[a-z-]+( |$)/)
})

test('a daemon logs important events by default, and continues when nobody reads its log', async () => {
  const plain = await up('--space', 'plain')
  expect(plain.logged()).toContain('daemon.ready')
  expect(plain.logged()).not.toMatch(/ debug /)
  const silent = await up('--space', 'silent', '--log', 'off')
  plain.child.stderr!.destroy()
  await inviteTo('plain')
  await inviteTo('silent')
  for (const { child } of [plain, silent]) {
    expect(await end(child, 'SIGTERM')).toBe(0)
  }
  expect(silent.logged()).toBe('')
})
