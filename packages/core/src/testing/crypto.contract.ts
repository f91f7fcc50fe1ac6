import { describe, expect, it } from 'vitest'

import { concatBytes, fromHex } from '../bytes.ts'
import type { Crypto } from '../ports/crypto.ts'
import { utf8 } from '../text.ts'
import { acceptedSignatures, refusedSignatures, type EdgeCase } from './signature-cases.ts'

/** What every implementation of the crypto port that signs with Ed25519 has to do, bit for bit. */
export function cryptoContract(name: string, create: () => Crypto): void {
  describe(`crypto contract: ${name}`, () => {
    it.each(rfc8032)('signs and verifies $name of RFC 8032', async (vector) => {
      const crypto = create()
      const key = await crypto.keyFromSeed(fromHex(vector.seed))
      const message = fromHex(vector.message)
      expect(key.publicKey).toEqual(fromHex(vector.publicKey))
      expect(await key.sign(message)).toEqual(fromHex(vector.signature))
      expect(await crypto.verify(key.publicKey, message, fromHex(vector.signature))).toBe(true)
    })

    it('refuses a changed message, signature or key', async () => {
      const crypto = create()
      const { publicKey, signature } = rfc8032[1]!
      const [key, signed, message] = [fromHex(publicKey), fromHex(signature), fromHex('72')]
      expect(await crypto.verify(key, fromHex('73'), signed)).toBe(false)
      for (const at of [0, 31, 32, 63]) {
        expect(await crypto.verify(key, message, flipped(signed, at))).toBe(false)
      }
      expect(await crypto.verify(flipped(key, 0), message, signed)).toBe(false)
    })

    it('refuses malformed keys and signatures without throwing', async () => {
      const crypto = create()
      const { publicKey, signature } = rfc8032[0]!
      const [key, signed, message] = [fromHex(publicKey), fromHex(signature), utf8('')]
      for (const bad of [new Uint8Array(0), key.subarray(1), concatBytes(key, key), notOnCurve]) {
        expect(await crypto.verify(bad, message, signed)).toBe(false)
      }
      for (const bad of [new Uint8Array(0), signed.subarray(1), concatBytes(signed, signed)]) {
        expect(await crypto.verify(key, message, bad)).toBe(false)
      }
    })

    it('refuses a signature whose scalar is not reduced', async () => {
      const { publicKey, signature } = rfc8032[0]!
      const signed = fromHex(signature)
      const malleable = concatBytes(signed.subarray(0, 32), plusOrder(signed.subarray(32)))
      expect(await create().verify(fromHex(publicKey), utf8(''), malleable)).toBe(false)
    })

    it.each(weakPoints)('refuses a key or commitment of %s', async (_, hex) => {
      const crypto = create()
      const weak = fromHex(hex)
      const scalarZero = new Uint8Array(32)
      for (let i = 0; i < 8; i++) {
        const message = Uint8Array.of(i)
        expect(await crypto.verify(weak, message, concatBytes(weak, scalarZero))).toBe(false)
        expect(await crypto.verify(weak, message, concatBytes(identity, scalarZero))).toBe(false)
      }
    })

    // R-SIGNATURE-1 to R-SIGNATURE-4
    it.each(Object.entries(refusedSignatures))('refuses the edge case %s', async (_, edge) => {
      expect(await verified(create(), edge)).toBe(false)
    })

    it.each(Object.entries(acceptedSignatures))('accepts the edge case %s', async (_, edge) => {
      expect(await verified(create(), edge)).toBe(true)
    })

    it('verifies after more keys than it keeps ready', async () => {
      const crypto = create()
      const message = utf8('message')
      const first = await crypto.keyFromSeed(new Uint8Array(32))
      const signature = await first.sign(message)
      for (let i = 0; i < 1_100; i++) {
        const other = fromHex(rfc8032[i % 3]!.publicKey)
        other[1] = i & 255
        other[2] = i >> 8
        await crypto.verify(other, message, signature)
      }
      expect(await crypto.verify(first.publicKey, message, signature)).toBe(true)
    })
  })
}

const verified = (crypto: Crypto, { key, message, signature }: EdgeCase): Promise<boolean> =>
  crypto.verify(fromHex(key), fromHex(message), fromHex(signature))

/** RFC 8032, section 7.1. */
const rfc8032 = [
  {
    name: 'TEST 1',
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    name: 'TEST 2',
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    name: 'TEST 3',
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
]

/** No x belongs to this y. */
const notOnCurve = concatBytes(Uint8Array.of(2), new Uint8Array(31))

const identity = concatBytes(Uint8Array.of(1), new Uint8Array(31))

/** Points whose signatures would fit many messages, and other spellings of such points: y and y + p. */
const weakPoints: readonly (readonly [string, string])[] = [
  ['order 1', '0100000000000000000000000000000000000000000000000000000000000000'],
  ['order 2', 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
  ['order 4', '0000000000000000000000000000000000000000000000000000000000000000'],
  ['order 4, other sign', '0000000000000000000000000000000000000000000000000000000000000080'],
  ['order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
  ['order 8, other sign', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85'],
  ['order 8, other y', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
  ['order 4, y + p', 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
  ['order 1, y + p', 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
]

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice()
  copy[at]! ^= 1
  return copy
}

/** The scalar plus the order of the base point: the same signature to a verifier that does not check the range. */
function plusOrder(scalar: Uint8Array): Uint8Array {
  const order = fromHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')
  let carry = 0
  return scalar.map((byte, i) => {
    const sum = byte + order[i]! + carry
    carry = sum >> 8
    return sum & 255
  })
}
