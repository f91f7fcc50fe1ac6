import type { PeerplaneError, Run, SessionId } from '@peerplane/core'
import { beforeAll, describe, expect, test } from 'vitest'

import { batchKey } from '../storage/keys.ts'
import { createMemoryStore } from '../storage/memory-store.ts'
import {
  contents,
  members,
  openPeer,
  runOf,
  sync,
  write,
  writeMany,
  type Members,
  type Peer,
} from './peer.fixture.test.ts'

/** First seqs of the batches of Alice. */
const FIRSTS = [1, 3, 4, 7]
const LAST = 7

let four: Members
let alice: Peer
let session: SessionId
/** All of them, in one run. */
let whole: Run

/** Bob, who holds all that Alice wrote but one of its batches. */
async function without(first: number): Promise<Peer> {
  const bob = await openPeer(four, 1)
  await sync(alice, bob)
  await bob.log.close()
  const store = createMemoryStore(bob.store.entries())
  await store.write([{ key: batchKey(session, first), value: undefined }], 'local')
  return openWithoutReplay(store)
}

/** As `openPeer`, for a log that cannot be replayed. */
const openWithoutReplay = (store: ReturnType<typeof createMemoryStore>): Promise<Peer> =>
  openPeer(four, 1, {
    store,
    seed: 1,
    instead: (log) =>
      new Proxy(log, {
        get: (target, name) => {
          if (name === 'replay') return async function* () {}
          const value = Reflect.get(target, name) as unknown
          return typeof value === 'function' ? (value.bind(target) as unknown) : value
        },
      }),
  })

beforeAll(async () => {
  four = await members(4)
  alice = await openPeer(four, 0)
  await writeMany(alice, ['a1', 'a2'])
  await write(alice, 'a3')
  await writeMany(alice, ['a4', 'a5', 'a6'])
  await write(alice, 'a7')
  whole = await runOf(alice)
  session = whole.session
})

const code = (error: unknown): string => (error as PeerplaneError).code

describe.each(FIRSTS)('a log without the batch that begins at commit %i', (first) => {
  test('a log without one of its batches sends no run with a gap', async () => {
    const bob = await without(first)
    for (let from = 1; from <= LAST; from++) {
      for (const bytes of [1, 300, 1 << 20]) {
        const run = await bob.log.range(session, from, bytes).catch(code)
        const carol = await openPeer(four, 2)
        if (from > 1) await carol.log.admit(whole)
        const taken =
          run instanceof Object ? await carol.log.admit(run).then(() => 'taken', code) : run
        expect(['taken', 'store-corrupt']).toContain(taken)
      }
    }
    expect(await bob.log.range(session, first, 1 << 20).catch(code)).toBe('store-corrupt')
  })

  test('a log without one of its batches accepts an honest run, or says that it cannot be read', async () => {
    const bob = await without(first)
    expect(await bob.log.admit(whole).then(() => 'taken', code)).toMatch(
      /taken|store-corrupt|broken-chain/,
    )
    expect(bob.log.status()).toMatchObject({ frozen: [], contradicted: [] })
  })
})

test('a session that depends on a missing batch counts as unreadable, and no device is blamed for a fork', async () => {
  const erin = await openPeer(four, 0, { seed: 5 })
  await writeMany(erin, ['e1', 'e2'])
  const dave = await openPeer(four, 3)
  await sync(erin, dave)
  await write(dave, 'd1')
  await write(erin, 'e3')
  const bob = await openPeer(four, 1)
  await sync(erin, bob)
  await bob.log.close()
  const store = createMemoryStore(bob.store.entries())
  const [of] = [...erin.log.stored().keys()]
  await store.write([{ key: batchKey(of!, 1), value: undefined }], 'local')
  const again = await openWithoutReplay(store)
  const dependent = dave.log.next().session
  await again.log.admit(await runOf(dave, dependent))
  expect(again.log.status()).toMatchObject({ contradicted: [], unreadable: [dependent] })
  expect(contents(again)).toEqual([])
})
