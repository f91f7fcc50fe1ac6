import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

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
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { driveDaemon } from '../control.ts'
import { open } from '../open.ts'

vi.setConfig({ testTimeout: 60_000 })

const program = ['--conditions=source', fileURLToPath(import.meta.resolve('../cli.ts'))]
const anyPorts = ['--port', '0', '--tcp-port', '0']
const Note = entity('note', {
  state: record({ text: register('') }),
  commands: { write: (note, text: string) => note.text.set(text) },
})

let root: string
const running: ChildProcess[] = []

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'peerplane-'))
})
afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  rmSync(root, { recursive: true })
})

/** A daemon that is ready, and what it has logged so far. */
async function up(
  space: string,
  ...args: string[]
): Promise<{ readonly child: ChildProcess; readonly logged: () => string }> {
  const child = spawn(execPath, [...program, 'up', ...anyPorts, '--space', space, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.push(child)
  let logged = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (logged += text))
  for await (const _ of createInterface(child.stdout)) return { child, logged: () => logged }
  throw new Error(`the daemon ended without being ready: ${logged}`)
}

async function inviteTo(space: string): Promise<string> {
  const daemon = await driveDaemon(join(root, '.peerplane', space, 'control.sock'))
  const invitation = await daemon!.target.invite(1, false)
  daemon!.close()
  return invitation
}

test('a daemon logs who comes and goes, and nothing that is secret or was typed', async () => {
  const anchor = await up('anchor', '--anchor', '--log', 'debug', '--log-format', 'json')
  const invitation = await inviteTo('anchor')
  const other = await up('other', '--join', invitation, '--log', 'debug')
  const plane = await open({ entities: [Note], data: root, space: 'app', join: invitation })
  await plane.get(Note, 'private-name').write('private-text')
  await vi.waitFor(() => expect(anchor.logged()).toContain('range.taken'), 20_000)
  await vi.waitFor(() => expect(other.logged()).toContain('range.taken'), 20_000)
  await plane.close()
  await vi.waitFor(() => expect(anchor.logged()).toContain('link.closed'), 20_000)
  for (const { child } of [anchor, other]) {
    child.kill('SIGTERM')
    await once(child, 'close')
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

test('a daemon logs what matters unless it is set otherwise, and lives when nobody reads it', async () => {
  const plain = await up('plain')
  expect(plain.logged()).toContain('daemon.ready')
  expect(plain.logged()).not.toMatch(/ debug /)
  const silent = await up('silent', '--log', 'off')
  plain.child.stderr!.destroy()
  await inviteTo('plain')
  await inviteTo('silent')
  for (const { child } of [plain, silent]) {
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  }
  expect(silent.logged()).toBe('')
})
