import { utf8 } from '@peerplane/core'
import { webCrypto } from '@peerplane/runtime'
import { openDB } from 'idb'
import { expect, it } from 'vitest'

import { requestPersistence } from '../adapters/persistence.ts'
import { openIdentity } from './identity.ts'

it('keeps one key per name, for callers at the same time and later', async () => {
  const name = `identity-${performance.now()}`
  const keys = await Promise.all([openIdentity(name), openIdentity(name), openIdentity(name)])
  const later = await openIdentity(name)
  const other = await openIdentity(`${name}-other`)
  for (const key of keys) expect(key.publicKey).toEqual(later.publicKey)
  expect(other.publicKey).not.toEqual(later.publicKey)
  const message = utf8('message')
  const signature = await later.sign(message)
  expect(await webCrypto().verify(keys[0].publicKey, message, signature)).toBe(true)
})

it('keeps a secret that no script can read', async () => {
  const name = `identity-${performance.now()}`
  await openIdentity(name)
  const database = await openDB(`${name}-identity`)
  const pair = (await database.get('keys', 'device')) as CryptoKeyPair
  database.close()
  expect(pair.privateKey.extractable).toBe(false)
  await expect(crypto.subtle.exportKey('jwk', pair.privateKey)).rejects.toMatchObject({
    name: 'InvalidAccessError',
  })
})

it('asks for persistence and says what the browser answered', async () => {
  expect(await requestPersistence()).toBe(await navigator.storage.persisted())
})
