import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { systemRandom, webCrypto } from '@peerplane/runtime'
import { afterAll, expect, it } from 'vitest'

import { openIdentity } from './identity.ts'

const root = mkdtempSync(join(tmpdir(), 'peerplane-'))
afterAll(() => rmSync(root, { recursive: true }))

const ports = { crypto: webCrypto(), random: systemRandom }
const fresh = (): string => join(mkdtempSync(join(root, 'i-')), 'identity')

it('makes a key once, readable by its owner only, and leaves nothing else', async () => {
  const path = fresh()
  const first = await openIdentity(path, ports)
  const second = await openIdentity(path, ports)
  expect(second.publicKey).toEqual(first.publicKey)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(join(path, '..'))).toEqual(['identity'])
})

it('makes a different key for another file', async () => {
  const keys = await Promise.all([openIdentity(fresh(), ports), openIdentity(fresh(), ports)])
  expect(keys[0].publicKey).not.toEqual(keys[1].publicKey)
})

it('makes its key although an earlier attempt was cut short', async () => {
  const path = fresh()
  writeFileSync(`${path}.new`, 'half')
  await openIdentity(path, ports)
  expect(readFileSync(path, 'latin1')).toMatch(/^[0-9a-f]{64}\n$/)
})

it.each([0o640, 0o604, 0o644, 0o610])('refuses a file of mode %o', async (mode) => {
  const path = fresh()
  await openIdentity(path, ports)
  chmodSync(path, mode)
  await expect(openIdentity(path, ports)).rejects.toMatchObject({
    code: 'exposed-secret',
    message: expect.stringMatching(/identity has mode 6[0-9]{2}, not 600.*chmod 600/) as string,
  })
})

it.each(['', 'abc', 'g'.repeat(64), '0'.repeat(66)])('refuses the content %j', async (content) => {
  const path = fresh()
  writeFileSync(path, content, { mode: 0o600 })
  await expect(openIdentity(path, ports)).rejects.toMatchObject({ code: 'store-corrupt' })
})

it('says when the directory does not exist', async () => {
  const path = join(root, 'missing', 'identity')
  await expect(openIdentity(path, ports)).rejects.toMatchObject({ code: 'store-failed' })
})
