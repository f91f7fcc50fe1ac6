import { cryptoContract } from '@peerplane/core/testing'
import { utf8 } from '@peerplane/core'
import { expect, it } from 'vitest'

import { generateKeyPair, signingKeyOf, webCrypto } from './web-crypto.ts'

cryptoContract('WebCrypto in Node', webCrypto)

it('signs with a generated pair that cannot be read out', async () => {
  const pair = await generateKeyPair()
  const key = await signingKeyOf(pair)
  const message = utf8('message')
  expect(await webCrypto().verify(key.publicKey, message, await key.sign(message))).toBe(true)
  await expect(crypto.subtle.exportKey('pkcs8', pair.privateKey)).rejects.toMatchObject({
    name: 'InvalidAccessError',
  })
})
