import { readFileSync, writeFileSync } from 'node:fs'

import {
  decodeBatch,
  encodeBatch,
  firstPrevious,
  fromHex,
  mac,
  readTip,
  sessionIdOf,
  toHex,
  decodeCanonical,
  encodeCanonical,
  type BatchId,
  type DeviceId,
  type Run,
  type Summary,
  type Tip,
} from '@peerplane/core'
import { expect, test } from 'vitest'

import { decodeAnnouncement, encodeAnnouncement, readAnnouncement } from './announcement.ts'
import { decodeMessage, encodeMessage, type Message } from './messages.ts'

/*
 * The messages of docs/protocol-vectors.json, made from the records in that file. With UPDATE_VECTORS=1 the test writes them again.
 */

interface Encoded {
  readonly bytes: number
  readonly hex: string
}
interface Vectors {
  readonly mac: { readonly key: string }
  readonly admission: { readonly record: Encoded; readonly deviceSeed: string }
  readonly opening: { readonly record: Encoded }
  readonly batch: {
    readonly ofThree: Encoded
    readonly ofTwoSessions: {
      readonly opening: { readonly record: Encoded }
      readonly bytes: Encoded
      readonly id: BatchId
      readonly next: { readonly bytes: Encoded }
    }
  }
  readonly fork: { readonly afterThree: { readonly proof: Encoded; readonly tip: Encoded } }
  readonly tips: readonly [{ readonly tips: readonly string[] }, unknown]
}

const file = new URL('../../../../docs/protocol-vectors.json', import.meta.url)
const bytesOf = ({ hex }: Encoded): Uint8Array => fromHex(hex)

/** Bytes of a batch without its signature, as it may stand inside a run. */
function unsigned(encoded: Uint8Array, first: BatchId): Uint8Array {
  const { signature: _, ...batch } = decodeBatch(encoded, sessionIdOf(first), first, 1)
  return encodeBatch({ ...batch, signature: undefined })
}

/** A run with its opening and two batches, of which only the last one is signed. */
function openedRun({ admission, batch: { ofTwoSessions } }: Vectors): Run {
  const opening = bytesOf(ofTwoSessions.opening.record)
  const first = firstPrevious(opening)
  return {
    session: sessionIdOf(first),
    from: 1,
    opening: { bytes: opening, chain: [bytesOf(admission.record)] },
    batches: [unsigned(bytesOf(ofTwoSessions.bytes), first), bytesOf(ofTwoSessions.next.bytes)],
  }
}

/** A run of the creator, whose chain is empty, up to a fork of its session. */
function forkedRun({ opening: { record }, batch, fork }: Vectors): Run {
  const first = firstPrevious(bytesOf(record))
  return {
    session: sessionIdOf(first),
    from: 1,
    opening: { bytes: bytesOf(record), chain: [] },
    batches: [unsigned(bytesOf(batch.ofThree), first)],
    fork: bytesOf(fork.afterThree.proof),
  }
}

/** The end of a session: one batch without an opening. */
function restOf(run: Run): Run {
  return { session: run.session, from: 2, opening: undefined, batches: run.batches.slice(1) }
}

const summaryToJson = ({ path, sessions, commits, digest }: Summary): unknown => [
  path,
  sessions,
  commits,
  digest,
]
const tipToJson = ({ session, seq, mark }: Tip): unknown => [session, seq, mark]

/** The fields of a message as the file shows them: byte strings in hexadecimal digits. The runs consist of records that the file shows. */
function fieldsOf(message: Message): readonly unknown[] {
  switch (message.kind) {
    case 'summary':
      return [message.nodes.map(summaryToJson), message.reply]
    case 'have':
      return [message.tips.map(tipToJson), message.asks]
    case 'want':
      return [message.ranges.map(({ session, from, to }) => [session, from, to])]
    case 'runs':
      return []
    case 'peers':
      return [message.peers.map(({ peer, addresses, device }) => [peer, addresses, device])]
    case 'bye':
      return [message.reason]
    case 'list':
      return [message.path, message.after]
    case 'page':
      return [message.path, message.tips.map(tipToJson), message.next]
  }
}

function messagesOf(vectors: Vectors): Readonly<Record<string, Message>> {
  const tips = tipsOf(vectors)
  const opened = openedRun(vectors)
  const { session } = opened
  const digest = tips[0]!.mark
  return {
    summary: {
      kind: 'summary',
      nodes: [{ path: '', sessions: 3, commits: 9, digest }],
      reply: true,
    },
    have: { kind: 'have', tips: tips.slice(1, 2), asks: ['', '0a'] },
    want: { kind: 'want', ranges: [{ session, from: 300, to: 700 }] },
    runs: { kind: 'runs', runs: [opened] },
    runsWithoutOpening: { kind: 'runs', runs: [restOf(opened)] },
    runsWithFork: { kind: 'runs', runs: [forkedRun(vectors)] },
    runsOfTwoSessions: { kind: 'runs', runs: [forkedRun(vectors), opened] },
    peers: {
      kind: 'peers',
      peers: [
        {
          peer: '12D3KooWC1GftZzo5AMyfCZnQM9joxpyHJ3x3BzZSaUkF7KTymfC',
          addresses: ['/ip4/127.0.0.1/tcp/4001/ws'],
          device: '0d'.repeat(32) as DeviceId,
        },
      ],
    },
    bye: { kind: 'bye', reason: 'closed' },
    list: { kind: 'list', path: '', after: 0 },
    page: { kind: 'page', path: '0a', tips: tips.slice(1), next: 256 },
  }
}

/** A message with extensions that nobody knows: with an odd key it is read, with an even key it is ignored. */
function extendedLists(): Readonly<Record<string, unknown>> {
  const list: Message = { kind: 'list', path: '0a', after: 256 }
  const extended = (key: number): Uint8Array => encodeCanonical([7, '0a', 256, [key, ['new']]])
  const [odd, even] = [extended(9), extended(10)]
  expect(decodeMessage(odd)).toEqual(list)
  const unknown = encodeCanonical([200, 'new'])
  for (const each of [even, unknown]) expect(decodeMessage(each)).toBeUndefined()
  return {
    listWithExtensions: { fields: fieldsOf(list), bytes: odd.length, hex: toHex(odd) },
    ignored: { criticalKey: toHex(even), unknownKind: toHex(unknown) },
  }
}

/** What the members of the space gossip, and the name of their topic. */
function announcementOf(vectors: Vectors): unknown {
  const secret = fromHex(vectors.mac.key)
  const tips = tipsOf(vectors)
  const held = { commits: 1_000, digest: tips[0]!.mark, tips }
  const encoded = encodeAnnouncement(held, secret)
  expect(decodeAnnouncement(readAnnouncement(encoded, secret)!)).toEqual(held)
  return {
    fields: [held.commits, held.digest, tips.map(tipToJson)],
    bytes: encoded.length,
    hex: toHex(encoded),
    topic: toHex(mac(secret, 'topic').slice(0, 16)),
  }
}

const tipsOf = ({ tips: [first] }: Vectors): Tip[] =>
  first.tips.map((hex) => readTip(decodeCanonical(fromHex(hex)), 'tip'))

test('the messages of the vectors are what they were', () => {
  const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors
  const messages = Object.fromEntries(
    Object.entries(messagesOf(vectors)).map(([name, message]) => {
      const encoded = encodeMessage(message)
      expect(decodeMessage(encoded)).toEqual(message)
      const shown = { bytes: encoded.length, hex: toHex(encoded) }
      return [name, message.kind === 'runs' ? shown : { fields: fieldsOf(message), ...shown }]
    }),
  )
  Object.assign(messages, extendedLists())
  const announcement = announcementOf(vectors)
  const written = JSON.stringify({ ...vectors, messages, announcement }, null, 2) + '\n'
  if (process.env['UPDATE_VECTORS']) writeFileSync(file, written)
  expect(written).toBe(readFileSync(file, 'utf8'))
})
