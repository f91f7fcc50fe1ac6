import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env, execPath } from 'node:process'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'

import type { PlaneStatus } from '@peerplane/runtime'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import type { Ready } from './cli/up.ts'
import { driveDaemon } from './control.ts'
import { currentStatus } from './problem.ts'

vi.setConfig({ testTimeout: 30_000 })

const program = ['--conditions=source', fileURLToPath(import.meta.resolve('./cli.ts'))]
const anyPorts = ['--port', '0', '--tcp-port', '0', '--http-port', '0']

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

/** Runs the command to its end. */
function run(
  args: readonly string[],
  variables: Record<string, string> = {},
): { status: number | null; stdout: string; stderr: string } {
  // A daemon that starts although it should not is killed.
  const timeout = 30_000
  const options = { cwd: root, encoding: 'utf8', env: { ...env, ...variables }, timeout } as const
  return spawnSync(execPath, [...program, ...args], options)
}

/** Starts a daemon and waits until it is ready. */
async function up(...args: string[]): Promise<{ ready: Ready; child: ChildProcess }> {
  const child = spawn(execPath, [...program, 'up', '--json', ...anyPorts, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  running.push(child)
  for await (const line of createInterface(child.stdout)) {
    return { ready: JSON.parse(line) as Ready, child }
  }
  throw new Error('the daemon ended without being ready')
}

const status = (...args: string[]): PlaneStatus =>
  JSON.parse(run(['status', '--json', ...args]).stdout) as PlaneStatus

describe('a daemon', () => {
  it('answers status and invite, and ends in order when it is told to', async () => {
    const { ready, child } = await up()
    expect(status()).toMatchObject({
      space: ready.space,
      device: ready.device,
      storage: 'ok',
      online: true,
      addresses: ready.addresses,
    })
    expect(ready.addresses).toHaveLength(2)
    expect(run(['status']).stdout).toMatch(/^space +default, [0-9a-f]{64}\n/)
    expect(run(['invite']).stdout).toMatch(/^pp1\.[\w-]+\n$/)
    expect(run(['invite', '--hours', '1', '--trust-clock']).stdout).toMatch(/^pp1\.[\w-]+\n$/)
    const told = performance.now()
    child.kill('SIGTERM')
    const [code] = (await once(child, 'exit')) as [number]
    expect(code).toBe(0)
    expect(performance.now() - told).toBeLessThan(5_000)
    expect(run(['status']).status).toBe(4)
  })

  it('keeps what is secret to its owner', async () => {
    await up()
    const mode = (...path: string[]): number =>
      statSync(join(root, '.peerplane', ...path)).mode & 0o777
    expect(mode('default')).toBe(0o700)
    for (const name of ['store.db', 'store.db-wal', 'store.db-owner']) {
      expect([name, mode('default', name)]).toEqual([name, 0o600])
    }
    expect(mode('default', 'control.sock')).toBe(0o600)
  })

  it('is the same device in the same space after it was killed', async () => {
    const first = await up()
    first.child.kill('SIGKILL')
    await once(first.child, 'exit')
    const second = await up()
    expect(second.ready).toMatchObject({ space: first.ready.space, device: first.ready.device })
    expect(status().device).toBe(first.ready.device)
  })

  it('admits another one by invitation', async () => {
    const anchor = await up('--anchor', '--page', 'https://tally.example/')
    const link = run(['invite']).stdout.trim()
    expect(link).toMatch(/^https:\/\/tally\.example\/#join=pp1\./)
    const member = await up('--space', 'other', '--join', link)
    expect(member.ready.space).toBe(anchor.ready.space)
    expect(member.ready.device).not.toBe(anchor.ready.device)
    const peers = async (space: string): Promise<string[]> => {
      const daemon = await driveDaemon(join(root, '.peerplane', space, 'control.sock'))
      const { peers: known } = await currentStatus((listener) =>
        daemon!.target.watchStatus(listener),
      )
      daemon!.close()
      return known.map(({ device }) => device)
    }
    const patience = { timeout: 10_000, interval: 100 }
    await expect.poll(() => peers('default'), patience).toEqual([member.ready.device])
    await expect.poll(() => peers('other'), patience).toEqual([anchor.ready.device])
    expect(run(['status']).stdout).toContain(member.ready.device.slice(0, 16))
  })

  it('serves a web application and prints its link with an invitation', async () => {
    mkdirSync(join(root, 'site'))
    writeFileSync(join(root, 'site', 'index.html'), '<p>hello')
    const { ready } = await up('--serve', 'site')
    expect(ready.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#join=pp1\./)
    const page = await fetch(ready.url!)
    expect(await page.text()).toBe('<p>hello')
  })
})

describe('what is wrong is said', () => {
  it('when another process uses the store', async () => {
    const { child } = await up()
    const second = run(['up', ...anyPorts])
    expect(second.status).toBe(3)
    expect(second.stderr).toContain('store-locked')
    expect(second.stderr).toContain(`process ${child.pid}`)
    expect(second.stdout).toBe('')
    expect(status().storage).toBe('ok')
  })

  it.each(['--port', '--tcp-port', '--http-port'])('when the %s is taken', async (flag) => {
    mkdirSync(join(root, 'site'))
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const ports = anyPorts.with(anyPorts.indexOf(flag) + 1, String(port))
    const refused = run(['up', ...ports, '--serve', 'site'])
    expect(refused).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('port-in-use') as string,
    })
    expect(refused.stderr).toContain(String(port))
    taken.close()
    await up()
  })

  it('when a key of the configuration is unknown', () => {
    const fromFlag = run(['up', '--prot', '7'])
    expect(fromFlag.status).toBe(2)
    expect(fromFlag.stderr).toContain('the nearest known flag is --port')
    const fromVariable = run(['up'], { PEERPLANE_HOTS: '127.0.0.1' })
    expect(fromVariable.status).toBe(2)
    expect(fromVariable.stderr).toContain('the nearest known key is PEERPLANE_HOST')
    writeFileSync(join(root, 'peerplane.json'), '{"tcpprot":1}')
    const fromFile = run(['up'])
    expect(fromFile.status).toBe(2)
    expect(fromFile.stderr).toContain(
      'peerplane.json: tcpprot is unknown; the nearest known key is tcpPort',
    )
    expect(run(['up', '--config', 'missing.json'])).toMatchObject({ status: 2 })
  })

  it('when the store is corrupt', async () => {
    const { child } = await up()
    child.kill('SIGTERM')
    await once(child, 'exit')
    writeFileSync(join(root, '.peerplane', 'default', 'store.db'), 'x'.repeat(8_192))
    const refused = run(['up', ...anyPorts])
    expect(refused.status).toBe(1)
    expect(refused.stderr).toContain('store-corrupt')
  })

  it('when the key of the device is gone, until it is invited again', async () => {
    const host = await up('--data', 'host')
    const invitation = run(['invite', '--data', 'host']).stdout.trim()
    const guest = await up('--data', 'guest', '--join', invitation)
    guest.child.kill('SIGTERM')
    await once(guest.child, 'exit')
    const database = new DatabaseSync(join(root, 'guest', 'default', 'store.db'))
    const { changes } = database.prepare("DELETE FROM pairs WHERE key = x'34'").run()
    database.close()
    expect(Number(changes)).toBe(1)
    const refused = run(['up', '--data', 'guest', ...anyPorts])
    expect(refused).toMatchObject({ status: 1, stdout: '' })
    expect(refused.stderr).toContain('storage-lost')
    expect(refused.stderr).toContain('the key of this device is gone')
    expect(refused.stderr).toContain('with a new invitation')
    const healed = await up('--data', 'guest', '--join', invitation)
    expect(healed.ready.space).toBe(host.ready.space)
    expect(healed.ready.device).not.toBe(guest.ready.device)
  }, 90_000)

  it('when others can read the store', async () => {
    const { child } = await up()
    child.kill('SIGTERM')
    await once(child, 'exit')
    chmodSync(join(root, '.peerplane', 'default', 'store.db'), 0o644)
    const refused = run(['up', ...anyPorts])
    expect(refused.status).toBe(1)
    expect(refused.stderr).toContain('exposed-secret')
  })

  it('when the invitation is none', () => {
    const refused = run(['up', ...anyPorts, '--join', 'https://tally.example/#join=pp1.nothing'])
    expect(refused.status).toBe(2)
    expect(refused.stderr).toContain('invalid-invitation')
    expect(existsSync(join(root, '.peerplane'))).toBe(false)
  })

  it('when no daemon runs', () => {
    for (const command of ['status', 'invite']) {
      const { status: code, stderr } = run([command])
      expect(code).toBe(4)
      expect(stderr).toContain('no daemon runs for space "default" in .peerplane')
    }
  })

  it('when there is no such command', () => {
    const { status: code, stderr } = run(['stats'])
    expect(code).toBe(2)
    expect(stderr).toContain('there is no command "stats". Try "peerplane status"')
    expect(run(['up', 'now']).status).toBe(2)
  })
})

it('explains itself', () => {
  expect(run([])).toMatchObject({ status: 0, stderr: '' })
  expect(run(['up', '--help']).stdout).toContain('PEERPLANE_TCP_PORT')
  expect(run(['version']).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})
