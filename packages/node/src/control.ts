import { chmod, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'

import { asPeerplaneError, limits, PeerplaneError, reasonOf, type Service } from '@peerplane/core'
import { systemScheduler } from '@peerplane/runtime'
import type { LocalBackend } from '@peerplane/runtime'
import {
  backendContract,
  Client,
  object,
  optional,
  readReply,
  readRequest,
  Server,
  text,
  tuple,
} from '@peerplane/runtime/contract'
import type { Contract, RemoteBackend } from '@peerplane/runtime/contract'
import { BytePool } from '@peerplane/sync'

import { Lines } from './lines.ts'

/*
 * How the command talks to the daemon of the same user: requests and replies of a contract as lines of JSON, over a Unix domain socket in the
 * data directory.
 *
 *   {"kind":"ask","id":0,"operation":"invite","given":[24,false,false]}  ->  {"kind":"answer","id":0,"value":"pp1…"}
 */

/** What can be asked of a daemon: everything that its backend can, and what it is. */
export interface Controlled extends RemoteBackend {
  describe(): Promise<DaemonInfo>
}

/** What a daemon says about itself. */
export interface DaemonInfo {
  /** Name of its store: its `--space`. */
  readonly name: string
  /** The page that invitations lead to. */
  readonly page: string | undefined
}

const controlContract: Contract<Controlled> = {
  ...backendContract,
  describe: {
    kind: 'ask',
    authority: 'read',
    repeat: 'freely',
    given: tuple(),
    answer: object<DaemonInfo>({ name: text(), page: optional(text()) }),
  },
}

/**
 * Answers at `path` until it is stopped. The caller must hold the lock of the store: a socket left there is removed. Rejects with `invalid-configuration`.
 * `local` is the backend behind `target`.
 */
export async function serveControl(
  path: string,
  target: Controlled,
  local: Pick<LocalBackend, 'settled' | 'status'>,
): Promise<Service> {
  const connections = new Set<Connection>()
  const sent = { ...replies, pool: new BytePool(limits.controlRepliesBytes) }
  const server = createServer((socket) => {
    if (connections.size >= limits.controlConnections) {
      const idle = [...connections].find((each) => each.isIdle())
      // All are being answered: it will not take long.
      if (!idle) return void socket.destroy()
      idle.socket.destroy()
    }
    const connection = serveConnection(socket, sent, target, local)
    connections.add(connection)
    socket.on('close', () => connections.delete(connection))
  })
  const stop = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const { socket } of connections) socket.destroy()
    await closed
  }
  try {
    await rm(path, { force: true })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(path, resolve)
    })
    await chmod(path, 0o600)
  } catch (cause) {
    await stop()
    const reason = `the socket ${path} cannot be made: ${reasonOf(cause)}`
    throw new PeerplaneError('invalid-configuration', reason, {
      cause,
      advice: 'Remove what is in its place, or choose another data directory.',
    })
  }
  return { stop }
}

/** A daemon that is driven over its socket. */
export interface Driven {
  readonly target: Controlled
  /** Rejects when the daemon is gone, or refuses to show something: watches have no other way to say so. */
  readonly failed: Promise<never>
  close(): void
}

/** Connects to the daemon at `path`; `undefined` if none runs there. What is asked rejects with what it answers, or `timeout`. */
export async function driveDaemon(path: string): Promise<Driven | undefined> {
  const socket = await connected(path)
  if (!socket) return undefined
  const failed = Promise.withResolvers<never>()
  // Ignored: the caller that races it gets it.
  failed.promise.catch(() => undefined)
  const lines = new Lines(socket, replies, requests)
  const client = new Client<Controlled>({
    contract: controlContract,
    post: (request) => lines.send(request),
    refused: (error) => failed.reject(error),
  })
  lines.listen(
    (line) => client.receive(readReply(line)),
    (error) => {
      client.stop(error)
      failed.reject(error)
    },
  )
  const close = (): void => {
    client.stop(new PeerplaneError('closed', 'the connection to the daemon was closed'))
    socket.destroy()
  }
  return { target: client.target, failed: failed.promise, close }
}

const CATCH_UP_MS = 100

const requests = { maxBytes: limits.controlBytes }
const replies = { maxBytes: limits.controlReplyBytes }

interface Connection {
  readonly socket: Socket
  /** Whether nothing that it has asked for is being done. */
  isIdle(): boolean
}

function serveConnection(
  socket: Socket,
  sent: typeof replies & { readonly pool: BytePool },
  target: Controlled,
  { settled, status }: Pick<LocalBackend, 'settled' | 'status'>,
): Connection {
  const lines = new Lines(socket, requests, sent)
  const server = new Server<Controlled>({
    contract: controlContract,
    target,
    authority: 'manage',
    settled,
    current: { watchStatus: () => status?.() },
    post: (reply) => {
      lines.send(reply)
      rest()
    },
  })
  let cancel = (): void => {}
  /** A connection that asks for nothing is closed after a while, however its bytes trickle. */
  const rest = (): void => {
    cancel()
    cancel = systemScheduler.after(limits.controlMs, () => {
      // A daemon that was busy takes in first what came meanwhile.
      cancel = systemScheduler.after(CATCH_UP_MS, () => {
        if (server.open === 0) socket.destroy()
        else rest()
      })
    })
  }
  rest()
  socket.on('close', () => {
    cancel()
    server.stop()
  })
  lines.listen(
    (line) => server.receive(readRequest(line)),
    ({ code, message }) => {
      lines.send({ kind: 'failed', id: 0, error: { code, message } })
      socket.end()
    },
  )
  return { socket, isIdle: () => server.open === 0 }
}

async function connected(path: string): Promise<Socket | undefined> {
  const socket = connect(path)
  const opened = Promise.withResolvers<void>()
  socket.once('connect', opened.resolve).once('error', opened.reject)
  try {
    await opened.promise
    socket.off('error', opened.reject)
    return socket
  } catch (error) {
    const { code } = error as { readonly code?: string }
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined
    const reason = `the daemon at ${path} cannot be asked: ${asPeerplaneError(error, 'unreachable').message}`
    throw new PeerplaneError('unreachable', reason, {
      cause: error,
      advice: 'Ask as the user that runs the daemon.',
    })
  }
}
