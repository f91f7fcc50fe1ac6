import {
  decodeCanonical,
  encodeCanonical,
  hash,
  limits,
  PeerplaneError,
  toHex,
  utf8,
  type DeviceId,
  type SessionId,
  type Tip,
  type Value,
} from '@peerplane/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { decodeMessage, encodeMessage, haveMessages, type Message } from './messages.ts'

const idOf = (name: string) => toHex(hash('test', utf8(name)))
const session = idOf('session').slice(0, 32) as SessionId
const tip: Tip = { session, seq: 70_000, mark: idOf('mark').slice(0, 32) }
const node = { path: '0af', sessions: 17, commits: 2 ** 40, digest: idOf('digest').slice(0, 32) }
const bytesOf = (length: number) => new Uint8Array(length).fill(7)
const evidence = { bytes: bytesOf(90), chain: [bytesOf(200)] }
const otherSession = idOf('other').slice(0, 32) as SessionId

/** Messages of every kind, and the hash of their frames. A kind that is missing does not compile. */
const vectors: {
  readonly [Kind in Message['kind']]: {
    readonly hash: string
    readonly messages: readonly (Message & { readonly kind: Kind })[]
  }
} = {
  summary: {
    hash: 'ac9d169fdcdfd90d60f5c119546373e7ec95afdbf924bfb4aed50e895cfa879f',
    messages: [
      { kind: 'summary', nodes: [node, { ...node, path: '' }], reply: false },
      { kind: 'summary', nodes: [], reply: true },
    ],
  },
  have: {
    hash: 'a188b41394ac271718ffac64e632ab434c076b0c179aca03977d1cb34d89cd3a',
    messages: [{ kind: 'have', tips: [tip, { ...tip, seq: 1 }], asks: ['', 'a07'] }],
  },
  list: {
    hash: '4535bb8abe72e558dc484144a873f1f0d4daf1a2a0e0e57df72c434781e60763',
    messages: [{ kind: 'list', path: 'f', after: 512 }],
  },
  page: {
    hash: '4b54f479ca5f89bf932fe751fa62dad4f8ced7ee7e265c86bdb21c51310cbc5b',
    messages: [{ kind: 'page', path: '', tips: [tip], next: 0 }],
  },
  want: {
    hash: '919abb9568cc31487e902c464a1e97ca36d4099b8a9f145591fc2008b7e3f368',
    messages: [{ kind: 'want', ranges: [{ session, from: 1, to: 2 ** 40 }] }],
  },
  runs: {
    hash: 'a626da3e474b912f338d98f9bb01c10371ec1f55046ea9060d08e819b88816e1',
    messages: [
      [{ session, from: 1, opening: evidence, batches: [bytesOf(120)] }],
      [{ session, from: 9, opening: undefined, batches: [bytesOf(1), bytesOf(2)] }],
      [
        { session, from: 9, opening: undefined, batches: [], fork: bytesOf(3) },
        { session: otherSession, from: 1, opening: evidence, batches: [bytesOf(4)] },
      ],
    ].map((runs) => ({ kind: 'runs', runs })),
  },
  peers: {
    hash: '2a21a474639e25fe3b0a5635a550422afc6f756571c72b71700f1c5885179d38',
    messages: [
      {
        kind: 'peers',
        peers: [
          {
            peer: '12D3Koo',
            addresses: ['/ip4/1.2.3.4'],
            device: idOf('d') as DeviceId,
          },
        ],
      },
    ],
  },
  bye: {
    hash: 'b88ef5e5dec93c6cb65969b856458f3b1d7d984ecc5660fde6b94ed1e4e2a208',
    messages: [{ kind: 'bye', reason: 'closed' }],
  },
}

describe.each(Object.entries(vectors))('the frames of %s', (_, { hash: known, messages }) => {
  it('stay as they are: a change of the hash is a new protocol version', () => {
    expect(toHex(hash('wire', ...messages.map(encodeMessage)))).toBe(known)
  })

  it('become the same messages again', () => {
    for (const message of messages) expect(decodeMessage(encodeMessage(message))).toEqual(message)
  })

  it('may hold unknown keys: ignorable ones change nothing, and with a critical one the message is ignored', () => {
    for (const message of messages) {
      const fields = decodeCanonical(encodeMessage(message)) as Value[]
      const extended = (...list: Value[]): Uint8Array => encodeCanonical([...fields, list])
      expect(decodeMessage(extended(1, 'news', 9, [null]))).toEqual(message)
      expect(decodeMessage(extended(1, 'news', 2, 'must'))).toBeUndefined()
      for (const wrong of [extended(), extended(1), extended(3, 0, 1, 0), extended('a', 1)]) {
        expect(() => decodeMessage(wrong)).toThrow(expect.objectContaining({ code: 'malformed' }))
      }
    }
  })
})

describe('the wire', () => {
  it('splits many tips and many paths into frames that fit', () => {
    const tips = Array.from({ length: 3_000 }, (_, i) => ({ ...tip, seq: 2 ** 40 + i }))
    const asks = Array.from({ length: 200 }, (_, i) => i.toString(16).padStart(4, '0'))
    const messages = haveMessages(tips, asks)
    expect(messages).toHaveLength(4)
    for (const each of messages) expect(decodeMessage(encodeMessage(each))).toEqual(each)
    expect(messages.flatMap((each) => ('tips' in each ? each.tips : []))).toEqual(tips)
    expect(messages.flatMap((each) => ('asks' in each ? each.asks : []))).toEqual(asks)
    expect(haveMessages([])).toEqual([])
  })
})

describe('bytes from outside', () => {
  const id = hash('test').slice(0, 16)
  const run = [id, 2, null, [bytesOf(9)]]
  const peer = ['p', ['/ip4/1.2.3.4'], hash('test')]
  const many = (count: number, value: Value): Value[] => Array.from({ length: count }, () => value)
  /** Each is refused because of the one thing in which it differs from one of these. */
  const accepted: readonly Value[] = [
    [1, [['0a', 1, 1, bytesOf(16)]], false],
    [2, [[id, 1, bytesOf(16)]], ['']],
    [7, '0'.repeat(32), 0],
    [8, '', [], 0],
    [3, [[id, 2, 2]]],
    [4, [run, [hash('other').slice(0, 16), 1, [bytesOf(9), []], [bytesOf(9)]]]],
    [4, [[id, 2, null, [bytesOf(limits.runBytes)]]]],
    [5, [peer]],
    [6, 'x'.repeat(64)],
  ]
  const refused: Record<string, Value> = {
    'no array': 1,
    'no kind': [],
    'kind that is no number': ['have', []],
    'summary without its flag': [1, []],
    'summary with a short digest': [1, [['', 1, 1, bytesOf(15)]], false],
    'summary of a path that is not hexadecimal': [1, [['0G', 1, 1, bytesOf(16)]], false],
    'too many summaries': [1, many(limits.summariesPerMessage + 1, ['', 0, 0, bytesOf(16)]), false],
    'tip without mark': [2, [[id, 1]], []],
    'tip with seq 0': [2, [[id, 0, bytesOf(16)]], []],
    'short session': [2, [[bytesOf(15), 1, bytesOf(16)]], []],
    'too many tips': [2, many(limits.tipsPerMessage + 1, [id, 1, bytesOf(16)]), []],
    'too many paths': [2, [], many(limits.pathsPerMessage + 1, '')],
    'list of a path that is too long': [7, '0'.repeat(33), 0],
    'page without an end': [8, '', [], -1],
    'range that ends before it begins': [3, [[id, 2, 1]]],
    'too many ranges': [3, many(limits.wantsPerMessage + 1, [id, 1, 1])],
    'no runs': [4, []],
    'run without batches': [4, [[id, 2, null, []]]],
    'first run without opening': [4, [[id, 1, null, [bytesOf(9)]]]],
    'later run with opening': [4, [[id, 2, [bytesOf(9), []], [bytesOf(9)]]]],
    'run beyond its limit': [4, [[id, 2, null, [bytesOf(limits.runBytes), bytesOf(1)]]]],
    'two runs of one session': [4, [run, [id, 3, null, [bytesOf(9)]]]],
    'several runs beyond their limit': [
      4,
      [run, [bytesOf(16), 2, null, [bytesOf(limits.runsBytes)]]],
    ],
    'too many runs': [
      4,
      Array.from({ length: limits.runsPerMessage + 1 }, (_, index) => [
        bytesOf(16).fill(index),
        2,
        null,
        [bytesOf(9)],
      ]),
    ],
    'too many peers': [5, many(limits.peersPerMessage + 1, peer)],
    'peer with a long address': [5, [['p', ['x'.repeat(257)], hash('test')]]],
    'long reason': [6, 'x'.repeat(65)],
  }
  it('are read if they have the forms that are varied here', () => {
    for (const value of accepted) expect(decodeMessage(encodeCanonical(value))).toBeDefined()
  })

  for (const [name, value] of Object.entries(refused)) {
    it(`refuses: ${name}`, () => {
      expect(() => decodeMessage(encodeCanonical(value))).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^(malformed|too-large)$/) }),
      )
    })
  }

  it('refuses frames above the limit unread', () => {
    expect(() => decodeMessage(new Uint8Array(limits.frameBytes + 1))).toThrow(/too-large|bytes/)
  })

  it('bytes with endless nesting are refused', () => {
    expect(() => decodeMessage(new Uint8Array(limits.frameBytes).fill(0x81))).toThrow(
      expect.objectContaining({ code: 'malformed' }),
    )
  })

  it('a message of an unknown kind is ignored', () => {
    expect(decodeMessage(encodeCanonical([99, 'anything']))).toBeUndefined()
  })

  it('any bytes are decoded, or refused with an error of the catalogue', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (frame) => {
        expect(codeOf(() => decodeMessage(frame))).toMatch(/^(none|malformed|too-large)$/)
      }),
    )
  })
})

function codeOf(task: () => unknown): string {
  try {
    task()
    return 'none'
  } catch (error) {
    return error instanceof PeerplaneError ? error.code : String(error)
  }
}
