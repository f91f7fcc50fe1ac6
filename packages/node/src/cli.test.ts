import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'

import type { PlaneStatus } from '@peerplane/runtime'
import { describe, expect, it } from 'vitest'

import {
  anyPorts,
  ask,
  end,
  folderForEach,
  inFolder,
  run,
  stopAt,
  up,
} from './daemon.fixture.test.ts'
import { currentStatus } from './problem.ts'

folderForEach()

const status = (...args: string[]): PlaneStatus =>
  JSON.parse(run(['status', '--json', ...args]).stdout) as PlaneStatus

describe('a daemon', () => {
  it('answers status and invite, and shuts down cleanly on a signal', async () => {
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
    expect(await end(child, 'SIGTERM')).toBe(0)
    expect(performance.now() - told).toBeLessThan(5_000)
    expect(run(['status']).status).toBe(4)
  })

  it('stops cleanly on a signal that comes while it starts', async () => {
    const { status: code, stdout, stderr } = stopAt('service.started service=store')
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
    expect(stderr).toContain('service.stopped service=store')
    expect(stderr).not.toContain('daemon.ready')
    expect(stderr).toMatch(/daemon\.stopped\s*$/)
    const { child } = await up()
    expect(await end(child, 'SIGTERM')).toBe(0)
  })

  it('lets only its owner read its files, and lets no other process open its store', async () => {
    const { child } = await up()
    const mode = (...path: string[]): number =>
      statSync(inFolder('.peerplane', 'default', ...path)).mode & 0o777
    expect(mode()).toBe(0o700)
    for (const name of ['store.db', 'store.db-wal', 'store.db-owner', 'control.sock']) {
      expect([name, mode(name)]).toEqual([name, 0o600])
    }
    const second = run(['up', ...anyPorts])
    expect(second).toMatchObject({ status: 3, stdout: '' })
    expect(second.stderr).toContain('store-locked')
    expect(second.stderr).toContain(`process ${child.pid}`)
    expect(status().storage).toBe('ok')
  })

  it('is the same device in the same space after it was killed', async () => {
    const first = await up()
    await end(first.child, 'SIGKILL')
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
    const peers = (space: string): Promise<string[]> =>
      ask(space, async (daemon) => {
        const { peers: known } = await currentStatus((listener) => daemon.watchStatus(listener))
        return known.map(({ device }) => device)
      })
    const patience = { timeout: 10_000, interval: 100 }
    await expect.poll(() => peers('default'), patience).toEqual([member.ready.device])
    await expect.poll(() => peers('other'), patience).toEqual([anchor.ready.device])
    expect(run(['status']).stdout).toContain(member.ready.device.slice(0, 16))
  })

  it('serves a web application and prints its link with an invitation', async () => {
    mkdirSync(inFolder('site'))
    writeFileSync(inFolder('site', 'index.html'), '<p>hello')
    const { ready } = await up('--serve', 'site')
    expect(ready.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#join=pp1\./)
    const page = await fetch(ready.url!)
    expect(await page.text()).toBe('<p>hello')
  })
})

describe('the command line says what is wrong', () => {
  it('when a port is in use, and leaves nothing behind', async () => {
    mkdirSync(inFolder('site'))
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    for (const flag of ['--port', '--tcp-port', '--http-port']) {
      const ports = anyPorts.with(anyPorts.indexOf(flag) + 1, String(port))
      const refused = run(['up', ...ports, '--serve', 'site'])
      expect(refused).toMatchObject({
        status: 1,
        stdout: '',
        stderr: expect.stringContaining('port-in-use') as string,
      })
      expect(refused.stderr).toContain(String(port))
    }
    taken.close()
    await up()
  })

  it('when a configuration key is unknown', () => {
    const fromFlag = run(['up', '--prot', '7'])
    expect(fromFlag.status).toBe(2)
    expect(fromFlag.stderr).toContain('the nearest known flag is --port')
    const fromVariable = run(['up'], { PEERPLANE_HOTS: '127.0.0.1' })
    expect(fromVariable.status).toBe(2)
    expect(fromVariable.stderr).toContain('the nearest known key is PEERPLANE_HOST')
    writeFileSync(inFolder('peerplane.json'), '{"tcpprot":1}')
    const fromFile = run(['up'])
    expect(fromFile.status).toBe(2)
    expect(fromFile.stderr).toContain(
      'peerplane.json: tcpprot is unknown; the nearest known key is tcpPort',
    )
    expect(run(['up', '--config', 'missing.json'])).toMatchObject({ status: 2 })
  })

  it('when others can read the store, and when the store is corrupt', async () => {
    const { child } = await up()
    await end(child, 'SIGTERM')
    const store = inFolder('.peerplane', 'default', 'store.db')
    chmodSync(store, 0o644)
    const exposed = run(['up', ...anyPorts])
    expect(exposed.status).toBe(1)
    expect(exposed.stderr).toContain('exposed-secret')
    chmodSync(store, 0o600)
    writeFileSync(store, 'x'.repeat(8_192))
    const corrupt = run(['up', ...anyPorts])
    expect(corrupt.status).toBe(1)
    expect(corrupt.stderr).toContain('store-corrupt')
  })

  it('when the key of the device is gone, and the daemon starts again with an invitation', async () => {
    const host = await up('--data', 'host')
    const invitation = run(['invite', '--data', 'host']).stdout.trim()
    const guest = await up('--data', 'guest', '--join', invitation)
    await end(guest.child, 'SIGTERM')
    const database = new DatabaseSync(inFolder('guest', 'default', 'store.db'))
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

  it('when the text is not an invitation', () => {
    const refused = run(['up', ...anyPorts, '--join', 'https://tally.example/#join=pp1.nothing'])
    expect(refused.status).toBe(2)
    expect(refused.stderr).toContain('invalid-invitation')
    expect(existsSync(inFolder('.peerplane'))).toBe(false)
  })

  it('when no daemon runs', () => {
    for (const command of ['status', 'invite']) {
      const { status: code, stderr } = run([command])
      expect(code).toBe(4)
      expect(stderr).toContain('no daemon runs for space "default" in .peerplane')
    }
  })

  it('when a command does not exist', () => {
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
