import { chmod, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'

import { asPeerplaneError, concatBytes, fromUtf8, limits, PeerplaneError } from '@peerplane/core'
import type { Json } from '@peerplane/core'
import { systemScheduler } from '@peerplane/runtime'
import type { Problem } from '@peerplane/runtime'

import { problemError } from './problem.ts'

/*
 * How the command talks to the daemon of the same user: one line of JSON to a Unix domain socket in the data directory, one line back.
 *
 *   {"ask":"invite","hours":24}  ->  {"answer":...}  or  {"error":{"code":...,"message":...}}
 */

/** What can be asked of a daemon. */
export interface ControlHandlers {
  status(): Promise<Json>
  invite(hours: number, trustClock: boolean): Promise<Json>
}

/** Answers at `path` until the returned function is called. Whoever calls must hold the lock of the store: a socket left there is removed. */
export async function serveControl(
  path: string,
  handlers: ControlHandlers,
): Promise<() => Promise<void>> {
  await rm(path, { force: true })
  const sockets = new Set<Socket>()
  /** Those that have not asked yet, the oldest first. */
  const asking = new Set<Socket>()
  const server = createServer((socket) => {
    if (sockets.size >= limits.controlConnections) {
      const [oldest] = asking
      if (oldest) oldest.destroy()
      // All are being answered: it will not take long.
      else socket.destroy()
    }
    sockets.add(socket)
    asking.add(socket)
    socket.on('close', () => {
      sockets.delete(socket)
      asking.delete(socket)
    })
    void answer(socket, handlers, () => asking.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(path, resolve)
  })
  await chmod(path, 0o600)
  return async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    await closed
  }
}

/** Asks the daemon at `path`; `undefined` if none runs there. Rejects with the error that it answers, or `timeout`. */
export async function askDaemon(path: string, request: Json): Promise<Json | undefined> {
  const socket = connect(path)
  try {
    const line = readLine(socket, limits.frameBytes)
    socket.write(`${JSON.stringify(request)}\n`)
    const reply = JSON.parse(fromUtf8(await line)) as Reply
    if ('answer' in reply) return reply.answer
    throw problemError(reply.error)
  } catch (error) {
    const { code } = error as { readonly code?: string }
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined
    if (error instanceof PeerplaneError) throw error
    const reason = `the daemon at ${path} cannot be asked: ${(error as Error).message}`
    throw new PeerplaneError('unreachable', reason, {
      cause: error,
      advice: 'Ask as the user that runs the daemon.',
    })
  } finally {
    socket.destroy()
  }
}

type Reply = { answer: Json } | { error: Problem }

async function answer(socket: Socket, handlers: ControlHandlers, asked: () => void): Promise<void> {
  let reply: Reply
  try {
    const line = await readLine(socket, limits.controlBytes)
    asked()
    reply = { answer: await dispatch(line, handlers) }
  } catch (cause) {
    const { code, message } = asPeerplaneError(cause, 'malformed')
    reply = { error: { code, message } }
  }
  socket.on(
    'close',
    systemScheduler.after(limits.controlMs, () => socket.destroy()),
  )
  socket.end(`${JSON.stringify(reply)}\n`)
}

async function dispatch(line: Uint8Array, handlers: ControlHandlers): Promise<Json> {
  const request = JSON.parse(fromUtf8(line)) as {
    readonly ask?: unknown
    readonly hours?: unknown
    readonly trustClock?: unknown
  } | null
  if (request?.ask === 'status') return handlers.status()
  if (request?.ask === 'invite' && typeof request.hours === 'number') {
    return handlers.invite(request.hours, request.trustClock === true)
  }
  throw new PeerplaneError('malformed', 'the daemon does not know what is asked')
}

const LINE_END = 10

/**
 * The first line that comes, whole within `limits.controlMs` however it trickles. The socket keeps a handler of errors, so that one that
 * comes later stops nothing.
 */
function readLine(socket: Socket, maxBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const received: Uint8Array[] = []
    let size = 0
    const cancel = systemScheduler.after(limits.controlMs, () => {
      reject(
        new PeerplaneError('timeout', 'no whole line came over the socket', {
          advice: 'The daemon is busy or stopped: try again, or start it anew.',
        }),
      )
      socket.destroy()
    })
    socket.on('data', (chunk: Uint8Array) => {
      const end = chunk.indexOf(LINE_END)
      received.push(end < 0 ? chunk : chunk.subarray(0, end))
      size += chunk.length
      if (end < 0 && size <= maxBytes) return
      cancel()
      socket.pause()
      if (end >= 0) resolve(concatBytes(...received))
      else reject(new PeerplaneError('too-large', `a line is longer than ${maxBytes} bytes`))
    })
    socket.on('error', reject)
    socket.on('close', () => {
      cancel()
      const advice = 'The daemon ended meanwhile, or serves too many requests: try again.'
      reject(new PeerplaneError('timeout', 'the socket was closed', { advice }))
    })
  })
}
