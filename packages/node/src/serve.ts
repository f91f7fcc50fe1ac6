import { createReadStream } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { extname, join, sep } from 'node:path'
import { pipeline } from 'node:stream'

import { codeOf, limits, PeerplaneError, type Service, type Trace } from '@peerplane/core'
import { AddressSeats } from '@peerplane/sync'

import { shareHandles } from './adapters/handles.ts'
import { THIS_MACHINE } from './proxies.ts'

import { acceptedCodings, namesTag } from './serve/coding.ts'
import type { Coding } from './serve/coding.ts'
import { CompressedFiles } from './serve/compressed-files.ts'
import { COMPRESSIBLE, securityHeaders, types } from './serve/headers.ts'

/** A running file server. */
export interface FileServer extends Service {
  /** Where it listens, as the beginning of a URL without a slash at the end. */
  readonly origin: string
  stop(): Promise<void>
}

/**
 * Serves the files below `root`, to read only: the built pages of a web application. What is text or WebAssembly is compressed, once, if the
 * client accepts that; ranges are not offered.
 *
 * Rejects with `port-in-use`, or `invalid-configuration` when there is no such directory.
 */
export async function serveFiles(options: {
  readonly root: string
  readonly host: string
  readonly port: number
  /** Addresses of proxies, which stand for many: limits per address do not count for them. Default this machine. */
  readonly proxies?: readonly string[] | undefined
  readonly trace?: Trace | undefined
}): Promise<FileServer> {
  const root = await realpath(options.root).catch((cause: unknown) => {
    const reason = `the directory to serve does not exist: ${options.root}`
    throw new PeerplaneError('invalid-configuration', reason, { cause })
  })
  const compressed = new CompressedFiles(limits.compressedCacheBytes)
  const server = createServer({
    requestTimeout: limits.httpRequestMs,
    headersTimeout: limits.httpRequestMs,
    keepAliveTimeout: limits.httpRequestMs,
    connectionsCheckingInterval: 1_000,
    maxHeaderSize: limits.httpHeaderBytes,
  })
  // Of one that sends a request again and again without taking the answers.
  server.setTimeout(limits.httpAnswerMs)
  const total = shareHandles().pages
  const perAddress = Math.ceil(total / 2)
  const seats = new AddressSeats({ total, perAddress, proxies: options.proxies ?? THIS_MACHINE })
  server.on('connection', (socket: Socket) => {
    // The client that has waited longest goes: a flood loses seats to clients that ask for something.
    const leave = seats.take(socket.remoteAddress ?? '', { dismiss: () => socket.destroy() })
    socket.on('close', leave)
  })
  server.on('request', (request, response) => {
    respond(root, compressed, request, response).catch((error: unknown) => {
      options.trace?.('request.failed', { code: codeOf(error) })
      refuse(response, 500)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, options.port)))
    server.listen(options.port, options.host, resolve)
  })
  const { address, port, family } = server.address() as AddressInfo
  return {
    origin: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

function listenError(error: Error, port: number): PeerplaneError {
  const inUse = (error as { readonly code?: string }).code === 'EADDRINUSE'
  return inUse
    ? new PeerplaneError('port-in-use', `port ${port} is taken`, { cause: error })
    : new PeerplaneError('invalid-configuration', error.message, { cause: error })
}

async function respond(
  root: string,
  compressed: CompressedFiles,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  for (const [name, value] of securityHeaders) response.setHeader(name, value)
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD')
    return refuse(response, 405)
  }
  const path = await findFile(root, request.url ?? '/')
  const type = path && types.get(extname(path))
  if (!path || !type) return refuse(response, 404)
  const { size, mtimeMs } = await stat(path)
  const isCompressible = COMPRESSIBLE.test(type)
  if (isCompressible) response.setHeader('Vary', 'Accept-Encoding')
  const coding = chooseCoding(request.headers['accept-encoding'], isCompressible, size)
  if (!coding) return refuse(response, 406)
  const version = `${size.toString(36)}-${Math.round(mtimeMs).toString(36)}`
  const tag = coding === 'identity' ? `"${version}"` : `"${version}-${coding}"`
  response.setHeader('ETag', tag)
  // Bundlers put files there whose names hold a hash of their content; all others are asked for again.
  const fixed = path.startsWith(join(root, 'assets') + sep)
  response.setHeader('Cache-Control', fixed ? 'public, max-age=31536000, immutable' : 'no-cache')
  if (namesTag(request.headers['if-none-match'], tag)) return void response.writeHead(304).end()
  response.setHeader('Content-Type', type)
  if (coding === 'identity') {
    response.writeHead(200, { 'Content-Length': size })
    if (request.method === 'HEAD') return void response.end()
    return void pipeline(createReadStream(path), response, () => {})
  }
  const body = await compressed.get(path, version, coding)
  response.writeHead(200, { 'Content-Encoding': coding, 'Content-Length': body.length })
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** The coding in which a file of `size` bytes goes out; `undefined` if the client accepts none that there is. */
function chooseCoding(
  header: string | undefined,
  isCompressible: boolean,
  size: number,
): Coding | undefined {
  const accepted = acceptedCodings(header)
  const isSmall = size < WORTH_COMPRESSING && accepted.includes('identity')
  const offersAll = isCompressible && !isSmall && size <= limits.compressedFileBytes
  return offersAll ? accepted[0] : accepted.find((coding) => coding === 'identity')
}

/** Bytes: a smaller file is not sent sooner for being smaller. */
const WORTH_COMPRESSING = 1_024

function refuse(response: ServerResponse, code: 404 | 405 | 406 | 500): void {
  if (response.headersSent) return void response.destroy()
  response.writeHead(code, { 'Content-Type': 'text/plain' }).end(`${code}\n`)
}

/** The file that `url` names; `undefined` for anything that is not a plain file below `root`. */
async function findFile(root: string, url: string): Promise<string | undefined> {
  let path: string
  try {
    path = decodeURIComponent(url.split(/[?#]/, 1)[0]!)
  } catch {
    // Ignored: the client gets 404.
    return undefined
  }
  const segments = path.split('/').filter(Boolean)
  // No way up, no hidden files, and no characters that a file system reads in its own way.
  if (segments.some((segment) => segment.startsWith('.') || /[\\:\0]/.test(segment)))
    return undefined
  const wanted = join(root, ...segments, ...(path.endsWith('/') ? ['index.html'] : []))
  try {
    const found = await realpath(wanted)
    if (!found.startsWith(root + sep)) return undefined
    return (await stat(found)).isFile() ? found : undefined
  } catch {
    // Ignored: the client gets 404.
    return undefined
  }
}
