import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

import { limits, PeerplaneError, type Entity } from '@peerplane/core'
import { createPlane } from '@peerplane/runtime'
import { openAlone, planeContract } from '@peerplane/runtime/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'

import { driveDaemon, serveControl } from './control.ts'
import type { Controlled, Driven } from './control.ts'

let root: string
let path: string
const closers: (() => unknown)[] = []

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'peerplane-'))
  path = join(root, 'control.sock')
})
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
  rmSync(root, { recursive: true })
})

async function serve(
  entities: readonly Entity[] = [],
  name = 'tests',
): Promise<() => Promise<void>> {
  const backend = await openAlone(entities)
  const invite: Controlled['invite'] = async ({ hours = 24 }) => {
    if (hours > 0) return `for ${hours}`
    throw new PeerplaneError('invalid-input', 'an invitation cannot last 0 hours')
  }
  const describe = async () => ({ name, page: undefined })
  const server = await serveControl(path, { ...backend, describe, invite }, backend)
  const close = async (): Promise<void> => server.stop()
  closers.push(() => backend.close(), close)
  return close
}

async function drive(): Promise<Driven> {
  const daemon = await driveDaemon(path)
  closers.push(() => daemon!.close())
  return daemon!
}

/** Whether a daemon answers. */
async function answers(): Promise<boolean> {
  const daemon = await driveDaemon(path)
  if (!daemon) return false
  try {
    return (await daemon.target.describe()).name === 'tests'
  } finally {
    daemon.close()
  }
}

/** Sends bytes as they are and gives all that comes back. */
async function raw(bytes: string): Promise<string> {
  const socket = connect(path)
  socket.write(bytes)
  return text(socket)
}

const connected = (socket: Socket): Promise<unknown> =>
  new Promise((resolve) => socket.once('connect', resolve))

planeContract('a client at the control socket of a daemon', async (entities, onError) => {
  await serve(entities)
  const { target, close } = await drive()
  const local = { hasten: () => undefined, close: async () => close() }
  return createPlane(entities, { ...target, ...local }, { report: onError })
})

it('answers over a socket of its owner', async () => {
  await serve()
  expect(statSync(path).mode & 0o777).toBe(0o600)
  const { target } = await drive()
  expect(await target.describe()).toEqual({ name: 'tests', page: undefined })
  expect(await target.invite({ hours: 2 })).toBe('for 2')
})

it('hands errors on with code and message', async () => {
  await serve()
  const { target } = await drive()
  await expect(target.invite({ hours: 0 })).rejects.toMatchObject({
    code: 'invalid-input',
    message: 'an invitation cannot last 0 hours. Correct the input. Nothing was changed.',
  })
})

it('tells that no daemon runs, also when one was killed and left its socket', async () => {
  expect(await driveDaemon(path)).toBeUndefined()
  writeFileSync(path, '')
  expect(await driveDaemon(path)).toBeUndefined()
  await serve()
  expect(await answers()).toBe(true)
})

it.each([
  ['{"kind":"ask","id":0,"operation":"format","given":[]}\n', 'outdated'],
  ['{"kind":"ask","id":0,"operation":"invite","given":[{"hours":"2"}]}\n', 'malformed'],
  ['{"kind":"ask","id":0,"operation":"invite","given":[2,false,false,1]}\n', 'outdated'],
  ['{"kind":"shout","id":0}\n', 'outdated'],
  ['null\n', 'malformed'],
  ['nonsense\n', 'malformed'],
  ['x'.repeat(limits.controlBytes + 1), 'too-large'],
])('the daemon refuses an invalid request and continues: %.60j, %s', async (request, code) => {
  await serve()
  const reply = JSON.parse(await raw(request)) as unknown
  expect(reply).toMatchObject({ kind: 'failed', error: { code } })
  expect(await answers()).toBe(true)
})

it('closes although a client says nothing', async () => {
  const close = await serve()
  await connected(connect(path))
  await close()
  expect(await driveDaemon(path)).toBeUndefined()
})

it('rejects what is open when the daemon ends', async () => {
  const close = await serve()
  const { target } = await drive()
  await target.describe()
  await close()
  await expect(target.describe()).rejects.toMatchObject({ code: 'timeout' })
})

it('if clients do not read their answers, the control socket buffers a bounded amount and serves other clients', async () => {
  const bytes = 8 * 2 ** 20
  await serve([], 'x'.repeat(bytes))
  const asked = Array.from({ length: limits.controlConnections - 1 }, () => {
    const socket = connect(path).on('error', () => undefined)
    socket.write('{"kind":"ask","id":0,"operation":"describe","given":[]}\n')
    return socket
  })
  // Each answer has begun to arrive, and nobody reads on.
  await Promise.all(asked.map((socket) => once(socket, 'readable')))
  const { target } = await drive()
  expect(await target.invite({ hours: 2 })).toBe('for 2')

  const answers = await Promise.all(asked.map((socket) => text(socket.end()).catch(() => '')))
  const whole = answers.filter((answer) => answer.endsWith('\n'))
  expect(whole.length).toBeGreaterThan(0)
  expect(whole.length * bytes).toBeLessThan(limits.controlRepliesBytes)
})

it('the control socket answers although others hold all its seats and rarely send a byte', async () => {
  await serve()
  const slow = await Promise.all(
    Array.from({ length: limits.controlConnections }, async () => {
      const socket = connect(path).on('error', () => undefined)
      await connected(socket)
      return socket
    }),
  )
  const trickle = setInterval(() => {
    for (const socket of slow) if (socket.writable) socket.write('x')
  }, 200)
  try {
    const since = performance.now()
    expect(await answers()).toBe(true)
    await Promise.all(
      slow.map(async (socket) => {
        socket.resume()
        if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
      }),
    )
    expect(performance.now() - since).toBeLessThan(limits.controlMs + 2_000)
    expect(await answers()).toBe(true)
  } finally {
    clearInterval(trickle)
  }
}, 15_000)
