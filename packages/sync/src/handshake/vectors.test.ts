import { readFileSync, writeFileSync } from 'node:fs'

import {
  decodeAdmission,
  decodeCanonical,
  decodeSpaceRecord,
  fromHex,
  toHex,
  type Space,
} from '@peerplane/core'
import { expect, test } from 'vitest'

import { channelPair } from '../testing/channel-pair.fixture.test.ts'
import { ed25519 } from '../testing/ed25519.fixture.test.ts'
import { authenticate, type Self } from './handshake.ts'
import { Served } from './served.ts'
import { contextOf } from './transcript.ts'

/*
 * The handshake of docs/protocol-vectors.json: the device that the file admits calls the creator of the space. With UPDATE_VECTORS=1 the test
 * writes it again.
 */

interface Vectors {
  readonly space: { readonly record: { readonly hex: string } }
  readonly mac: { readonly key: string }
  readonly admission: { readonly record: { readonly hex: string } }
}

const file = new URL('../../../../docs/protocol-vectors.json', import.meta.url)
const { crypto: ed } = ed25519(crypto.subtle)
const filled = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)

/** The network ids of the keys with these seeds, which the independent reader computes. */
const INITIATOR = '12D3KooWC1GftZzo5AMyfCZnQM9joxpyHJ3x3BzZSaUkF7KTymfC'
const RESPONDER = '12D3KooWQAqQX2YQexMmQapfgrFV88PTtqkyiRo1LjpZoVbkjQYR'

async function compute(vectors: Vectors): Promise<Record<string, unknown>> {
  const record = decodeSpaceRecord(fromHex(vectors.space.record.hex))
  const space: Space = { record, secret: fromHex(vectors.mac.key) }
  const admission = decodeAdmission(fromHex(vectors.admission.record.hex))
  const [initiator, responder] = [INITIATOR, RESPONDER]
  const self = async (deviceSeed: number, nonce: number): Promise<Self> => {
    const key = await ed.keyFromSeed(filled(deviceSeed))
    return {
      space,
      key,
      chain: toHex(key.publicKey) === record.creator ? [] : [admission],
      crypto: ed,
      random: { bytes: () => filled(nonce) },
      clock: { now: () => 1_790_000_000_000 },
      scheduler: { after: () => () => {} },
      isKnown: () => true,
    }
  }
  const channels = channelPair(initiator, responder)
  const [guest, creator] = [await self(5, 22), await self(1, 23)]
  const [met, came] = await Promise.all([
    authenticate(channels[0], guest, new Served(initiator, guest)),
    authenticate(channels[1], creator, new Served(responder, creator)),
  ])
  expect([met.device, came.device]).toEqual([record.creator, admission.device])
  const frames = channels.map(({ sent }) =>
    sent.map((frame) => ({ bytes: frame.length, hex: toHex(frame) })),
  )
  const [hello, answer] = channels.map(({ sent }) =>
    (decodeCanonical(sent[0]!) as Uint8Array[]).at(-2)!,
  )
  const transcript = { initiator, responder, hello: hello!, answer: answer! }
  return {
    initiator: { networkSeed: toHex(filled(20)), networkId: initiator, frames: frames[0] },
    responder: { networkSeed: toHex(filled(21)), networkId: responder, frames: frames[1] },
    contexts: {
      ofTheFirstFrame: toHex(
        contextOf(space, { ...transcript, answer: new Uint8Array(0) }, 'initiator'),
      ),
      ofTheInitiator: toHex(contextOf(space, transcript, 'initiator')),
      ofTheResponder: toHex(contextOf(space, transcript, 'responder')),
    },
  }
}

test('the handshake of the vectors is what it was', async () => {
  const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors
  const handshake = await compute(vectors)
  const written = JSON.stringify({ ...vectors, handshake }, null, 2) + '\n'
  if (process.env['UPDATE_VECTORS']) writeFileSync(file, written)
  expect(written).toBe(readFileSync(file, 'utf8'))
})
