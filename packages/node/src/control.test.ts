import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

import { limits, PeerplaneError } from '@peerplane/core'
import { afterEach, beforeEach, expect, it } from 'vitest'

import { askDaemon, serveControl } from './control.ts'

let root: string
let path: string
let close: (() => Promise<void>) | undefined

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'peerplane-'))
  path = join(root, 'control.sock')
})
afterEach(async () => {
  await close?.()
  close = undefined
  rmSync(root, { recursive: true })
})

async function serve(): Promise<void> {
  close = await serveControl(path, {
    status: async () => ({ commits: 3 }),
    invite: async (hours) => {
      if (hours > 0) return `for ${hours}`
      throw new PeerplaneError('invalid-input', 'an invitation cannot last 0 hours')
    },
  })
}

/** Sends bytes as they are and gives all that comes back. */
async function raw(bytes: string): Promise<string> {
  const socket = connect(path)
  socket.write(bytes)
  return text(socket)
}

it('answers over a socket of its owner', async () => {
  await serve()
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(await askDaemon(path, { ask: 'status' })).toEqual({ commits: 3 })
  expect(await askDaemon(path, { ask: 'invite', hours: 2 })).toBe('for 2')
})

it('hands errors on with code and message', async () => {
  await serve()
  await expect(askDaemon(path, { ask: 'invite', hours: 0 })).rejects.toMatchObject({
    code: 'invalid-input',
    message: 'an invitation cannot last 0 hours. Correct the input; nothing was changed.',
  })
})

it('tells that no daemon runs, also when one was killed and left its socket', async () => {
  expect(await askDaemon(path, { ask: 'status' })).toBeUndefined()
  writeFileSync(path, '')
  expect(await askDaemon(path, { ask: 'status' })).toBeUndefined()
  await serve()
  expect(await askDaemon(path, { ask: 'status' })).toEqual({ commits: 3 })
})

it.each(['{"ask":"format"}\n', '{"ask":"invite","hours":"2"}\n', 'null\n', 'nonsense\n'])(
  'refuses %j',
  async (request) => {
    await serve()
    expect(JSON.parse(await raw(request))).toMatchObject({ error: { code: 'malformed' } })
    expect(await askDaemon(path, { ask: 'status' })).toEqual({ commits: 3 })
  },
)

it('refuses a request without end', async () => {
  await serve()
  expect(JSON.parse(await raw('x'.repeat(10_000)))).toMatchObject({ error: { code: 'too-large' } })
})

it('closes although a client says nothing', async () => {
  await serve()
  const silent = connect(path)
  await new Promise((resolve) => silent.once('connect', resolve))
  await close!()
  close = undefined
  expect(await askDaemon(path, { ask: 'status' })).toBeUndefined()
})

it('answers although others hold all its places and send a byte now and then', async () => {
  await serve()
  const slow = await Promise.all(
    Array.from({ length: limits.controlConnections }, async () => {
      const socket = connect(path).on('error', () => undefined)
      await new Promise((resolve) => socket.once('connect', resolve))
      return socket
    }),
  )
  const trickle = setInterval(() => {
    for (const socket of slow) if (socket.writable) socket.write('x')
  }, 200)
  try {
    const since = performance.now()
    expect(await askDaemon(path, { ask: 'status' })).toEqual({ commits: 3 })
    await Promise.all(
      slow.map(async (socket) => {
        socket.resume()
        if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
      }),
    )
    expect(performance.now() - since).toBeLessThan(limits.controlMs + 2_000)
    expect(await askDaemon(path, { ask: 'status' })).toEqual({ commits: 3 })
  } finally {
    clearInterval(trickle)
  }
}, 15_000)
