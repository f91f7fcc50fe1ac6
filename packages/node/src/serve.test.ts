import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

import { afterAll, beforeAll, expect, it } from 'vitest'

import { serveFiles } from './serve.ts'
import type { FileServer } from './serve.ts'

const root = mkdtempSync(join(tmpdir(), 'peerplane-'))
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
  writeFileSync(join(site, '.git', 'config.txt'), 'secret')
  writeFileSync(join(site, 'program.exe'), 'unknown type')
  symlinkSync(join(root, 'secret.txt'), join(site, 'link.txt'))
  server = await serveFiles({ root: site, host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await server.close()
  rmSync(root, { recursive: true })
})

/** `path` goes out as it is: `fetch` would tidy it. */
async function get(
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number | undefined; body: string; headers: IncomingMessage['headers'] }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(server.origin, { path, ...options }, resolve)
      .on('error', reject)
      .end()
  })
  return { status: response.statusCode, body: await text(response), headers: response.headers }
}

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
])('does not serve %s', async (path) => {
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
