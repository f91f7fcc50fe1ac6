import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'

import { limits } from '@peerplane/core'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

import { CompressedFiles } from './serve/compressed-files.ts'
import { serveFiles } from './serve.ts'
import type { FileServer } from './serve.ts'

const root = mkdtempSync(join(tmpdir(), 'peerplane-'))
const program = 'const words = "said again and again"\n'.repeat(1_000)
let server: FileServer

beforeAll(async () => {
  const site = join(root, 'site')
  mkdirSync(join(site, 'assets'), { recursive: true })
  mkdirSync(join(site, '.git'))
  mkdirSync(join(root, 'site-secret'))
  writeFileSync(join(root, 'secret.txt'), 'secret')
  writeFileSync(join(root, 'site-secret', 'secret.txt'), 'secret')
  writeFileSync(join(site, 'index.html'), '<p>page')
  writeFileSync(join(site, 'assets', 'a-12345678.wasm'), 'wasm')
  writeFileSync(join(site, 'program.js'), program)
  writeFileSync(join(site, 'photo.png'), program)
  writeFileSync(join(site, 'huge.json'), '')
  truncateSync(join(site, 'huge.json'), limits.compressedFileBytes + 1)
  writeFileSync(join(site, '.git', 'config.txt'), 'secret')
  writeFileSync(join(site, 'program.exe'), 'unknown type')
  symlinkSync(join(root, 'secret.txt'), join(site, 'link.txt'))
  server = await serveFiles({ root: site, host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await server.stop()
  rmSync(root, { recursive: true })
})

/** `path` goes out as it is: `fetch` would tidy it. */
async function get(
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<{
  status: number | undefined
  body: string
  bytes: Buffer
  headers: IncomingMessage['headers']
}> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(server.origin, { path, ...options }, resolve)
      .on('error', reject)
      .end()
  })
  const bytes = await buffer(response)
  return { status: response.statusCode, body: bytes.toString(), bytes, headers: response.headers }
}

const accepting = (coding: string): { headers: Record<string, string> } => ({
  headers: { 'Accept-Encoding': coding },
})

it('serves files with their types, and pages that run nothing from elsewhere', async () => {
  const page = await get('/?query#fragment')
  expect(page).toMatchObject({ status: 200, body: '<p>page' })
  expect(page.headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  })
  expect(page.headers['content-security-policy']).toContain("script-src 'self' 'wasm-unsafe-eval';")
  const module = await get('/assets/a-12345678.wasm')
  expect(module).toMatchObject({ status: 200, body: 'wasm' })
  expect(module.headers).toMatchObject({
    'content-type': 'application/wasm',
    'cache-control': 'public, max-age=31536000, immutable',
  })
})

it('answers HEAD, and says when nothing has changed', async () => {
  const head = await get('/index.html', { method: 'HEAD' })
  expect(head).toMatchObject({ status: 200, body: '' })
  expect(head.headers['content-length']).toBe('7')
  const again = await get('/', { headers: { 'If-None-Match': head.headers.etag! } })
  expect(again).toMatchObject({ status: 304, body: '' })
})

it.each([
  '/../secret.txt',
  '/%2e%2e/secret.txt',
  '/..%2fsecret.txt',
  '/assets/../../secret.txt',
  '/assets/..%5c..%5c..%5csecret.txt',
  '/../site-secret/secret.txt',
  '//../secret.txt',
  '/link.txt',
  '/.git/config.txt',
  '/program.exe',
  '/assets',
  '/assets/',
  '/missing.html',
  '/%00',
  '/%ff',
  '/index.html%00.txt',
])('a path that does not lead to a served file is answered with 404: %s', async (path) => {
  const { status, body } = await get(path)
  expect(status).toBe(404)
  expect(body).not.toContain('secret')
})

it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('refuses %s', async (method) => {
  const { status, headers } = await get('/', { method })
  expect(status).toBe(405)
  expect(headers.allow).toBe('GET, HEAD')
})

it('says when its port is taken, or there is nothing to serve', async () => {
  const port = Number(new URL(server.origin).port)
  const options = { root: join(root, 'site'), host: '127.0.0.1', port }
  await expect(serveFiles(options)).rejects.toMatchObject({
    code: 'port-in-use',
    message: expect.stringContaining(`port ${port} is taken`) as string,
  })
  await expect(serveFiles({ ...options, root: join(root, 'no') })).rejects.toMatchObject({
    code: 'invalid-configuration',
  })
})

describe('compression', () => {
  it.each([
    ['gzip, deflate, br', 'br', brotliDecompressSync],
    ['gzip, deflate', 'gzip', gunzipSync],
    ['br;q=0.1, gzip', 'gzip', gunzipSync],
    ['*;q=0, br', 'br', brotliDecompressSync],
  ] as const)('answers a client that accepts %j in %s', async (accepted, coding, decompress) => {
    const { bytes, headers } = await get('/program.js', accepting(accepted))
    expect(headers).toMatchObject({
      'content-encoding': coding,
      'content-length': String(bytes.length),
      'content-type': 'text/javascript; charset=utf-8',
      vary: 'Accept-Encoding',
    })
    expect(bytes.length).toBeLessThan(program.length / 20)
    expect(decompress(bytes).toString()).toBe(program)
    const head = await get('/program.js', { method: 'HEAD', ...accepting(accepted) })
    expect(head.bytes).toHaveLength(0)
    expect(head.headers).toEqual({ ...headers, date: head.headers.date })
  })

  it.each([
    ['a client that does not ask for it', '/program.js', undefined],
    ['a client that refuses it', '/program.js', 'br;q=0, gzip;q=0'],
    ['a client that prefers none', '/program.js', 'identity, gzip;q=0.5'],
    ['a file that is compressed already', '/photo.png', 'gzip, br'],
    ['a small file', '/index.html', 'gzip, br'],
    ['a file that is too large to hold', '/huge.json', 'gzip, br'],
  ])('leaves out %s', async (_, path, accepted) => {
    const { status, headers, bytes } = await get(path, accepted ? accepting(accepted) : {})
    expect(status).toBe(200)
    expect(headers['content-encoding']).toBeUndefined()
    expect(headers['content-length']).toBe(String(bytes.length))
    const isText = !path.endsWith('.png')
    expect(headers.vary).toBe(isText ? 'Accept-Encoding' : undefined)
  })

  it.each([
    ['/program.js', '*;q=0'],
    ['/photo.png', 'gzip, identity;q=0'],
  ])('a client that accepts no available encoding gets 406: %s, %j', async (path, accepted) => {
    expect(await get(path, accepting(accepted))).toMatchObject({ status: 406, body: '406\n' })
  })

  it('gives each coding a tag of its own, and says when that has not changed', async () => {
    const codings = ['identity', 'gzip', 'br']
    const tags: string[] = []
    for (const coding of codings) {
      const { headers } = await get('/program.js', accepting(coding))
      tags.push(headers.etag!)
    }
    expect(new Set(tags).size).toBe(3)
    for (const [i, coding] of codings.entries()) {
      const known = { ...accepting(coding).headers, 'If-None-Match': `"other", W/${tags[i]!}` }
      const same = await get('/program.js', { headers: known })
      expect(same).toMatchObject({ status: 304, body: '' })
      expect(same.headers).toMatchObject({ etag: tags[i], vary: 'Accept-Encoding' })
      const another = { ...known, 'If-None-Match': tags[(i + 1) % 3]! }
      expect(await get('/program.js', { headers: another })).toMatchObject({ status: 200 })
    }
  })

  it('shows a new version of a file', async () => {
    const path = join(root, 'site', 'changes.css')
    writeFileSync(path, 'a {}\n'.repeat(500))
    const first = await get('/changes.css', accepting('gzip'))
    writeFileSync(path, 'b {}\n'.repeat(501))
    const second = await get('/changes.css', accepting('gzip'))
    expect(gunzipSync(second.bytes).toString()).toContain('b {}')
    expect(second.headers.etag).not.toBe(first.headers.etag)
  })

  it('is done once for each version, and keeps a bounded number of bytes', async () => {
    const files = new CompressedFiles(1_500)
    const names = ['a', 'b', 'c'].map((name) => join(root, `${name}.bin`))
    for (const name of names) writeFileSync(name, crypto.getRandomValues(new Uint8Array(700)))
    const [a, b, c] = names as [string, string, string]
    const first = await Promise.all([files.get(a, '1', 'gzip'), files.get(a, '1', 'gzip')])
    expect(first[1]).toBe(first[0])
    await files.get(b, '1', 'gzip')
    expect(await files.get(a, '1', 'gzip')).toBe(first[0])
    // The third does not fit beside the others; what was asked for last stays.
    await files.get(c, '1', 'gzip')
    expect(await files.get(a, '1', 'gzip')).toBe(first[0])
    rmSync(b)
    await expect(files.get(b, '1', 'gzip')).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await files.get(a, '1', 'gzip')).toBe(first[0])
  })
})
it('the page server answers although strangers hold sockets that are silent or send half a request, and closes those sockets', async () => {
  const { port } = new URL(server.origin)
  const sockets: Socket[] = []
  for (let n = 0; n < 3 * limits.httpSockets; n += 1) {
    const localAddress = `127.0.0.${2 + (n % 3)}`
    const socket = connect({ port: Number(port), host: '127.0.0.1', localAddress })
    socket.on('error', () => undefined).resume()
    await new Promise((resolve) => {
      socket.once('connect', resolve).once('close', resolve)
    })
    if (n % 2 && socket.writable) socket.write('GET / HTTP/1.1\r\nHost: x\r\n')
    sockets.push(socket)
  }
  const since = performance.now()
  const open = (): Socket[] => sockets.filter(({ readyState }) => readyState === 'open')
  await vi.waitFor(() => expect(open().length).toBeLessThanOrEqual(limits.httpSockets))
  expect((await get('/')).status).toBe(200)
  await vi.waitFor(() => expect(open()).toEqual([]), { timeout: 20_000, interval: 100 })
  expect(performance.now() - since).toBeLessThan(limits.httpRequestMs + 5_000)
}, 30_000)
