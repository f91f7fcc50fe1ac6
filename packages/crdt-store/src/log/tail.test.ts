import { PeerplaneError, type Aside, type SigningKey, type Store } from '@peerplane/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { createMemoryStore } from '../storage/memory-store.ts'
import {
  contents,
  members,
  openPeer,
  section,
  sync,
  type Members,
  type Peer,
} from './peer.fixture.test.ts'

const two = await members(2)

/** The same members; the first one's key signs `signatures` times, and from then on its process has ended before it could. */
function mortal({ space, devices }: Members, signatures: number): Members {
  const [{ key, chain }, other] = devices as [Members['devices'][0], Members['devices'][0]]
  let left = signatures
  const sign: SigningKey['sign'] = (message) =>
    left-- > 0 ? key.sign(message) : new Promise(() => {})
  return { space, devices: [{ key: { ...key, sign }, chain }, other] }
}

/** A value beside a store, which outlives the process that wrote it. */
interface Kept extends Aside {
  value: Uint8Array | undefined
}

function aside(value?: Uint8Array): Kept {
  const kept: Kept = {
    value,
    get: () => kept.value,
    set: (next) => {
      kept.value = next
    },
  }
  return kept
}

const beside =
  (kept: Kept) =>
  (store: Store): Store => ({ ...store, aside: kept })

const say = ({ log }: Peer, content: string): Promise<void> => {
  const { durable } = log.commit(log.next(), [section(content)], { durability: 'synced' })
  durable.catch(() => undefined)
  return durable
}

/** The rest of a task: all its microtasks. */
const restOfTask = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

/** What a process finds that opens the store after this one has ended. */
const reopened = (peer: Peer, kept: Kept): Promise<Peer> =>
  openPeer(two, 0, {
    store: createMemoryStore(peer.store.entries()),
    seed: 1,
    through: beside(kept),
  })

test('commits that could not be signed in time are signed when the log is opened again', async () => {
  // One batch with its opening; the next one is never signed.
  const kept = aside()
  const dying = await openPeer(mortal(two, 2), 0, { through: beside(kept) })
  await say(dying, 'a')
  void say(dying, 'b')
  await restOfTask()
  dying.log.hasten()
  void say(dying, 'c')
  void say(dying, 'd')
  await restOfTask()
  const again = aside(kept.value)
  const next = await reopened(dying, kept)
  expect(contents(next)).toEqual(['a', 'b', 'c', 'd'])
  expect(kept.value).toBeUndefined()
  // They have a signature now, and what comes after them belongs to a new session.
  await say(next, 'e')
  const other = await openPeer(two, 1)
  await sync(next, other)
  expect(contents(other)).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect(next.log.stored().size).toBe(2)
  // Should it be found again, it changes nothing.
  expect(contents(await reopened(next, again))).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test('after a call of `hasten`, every commit is stored exactly once, no matter when the process ends', async () => {
  const step = fc.constantFrom('say', 'say', 'wait', 'rest', 'hasten')
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 20 }),
      fc.array(step, { maxLength: 20 }),
      fc.nat(8),
      async (before, after, signatures) => {
        const kept = aside()
        const dying = await openPeer(mortal(two, signatures), 0, { through: beside(kept) })
        let said = 0
        for (const each of [...before, 'hasten', ...after]) {
          if (each === 'say') void say(dying, `${said++}`)
          else if (each === 'hasten') dying.log.hasten()
          else if (each === 'rest') await restOfTask()
          else await Promise.race([dying.log.settled().catch(() => undefined), restOfTask()])
        }
        await restOfTask()
        const next = await reopened(dying, kept)
        expect(contents(next)).toEqual(Array.from({ length: said }, (_, i) => `${i}`))
        const other = await openPeer(two, 1)
        await sync(next, other)
        expect(contents(other)).toEqual(contents(next))
      },
    ),
    { numRuns: 100 },
  )
})

test('what was written in one piece with a commit is written with it', async () => {
  const kept = aside()
  const dying = await openPeer(mortal(two, 0), 0, { through: beside(kept) })
  const [there, gone] = [Uint8Array.of(0x30), Uint8Array.of(0x31)]
  await dying.store.write([{ key: gone, value: there }], 'local')
  dying.log.hasten()
  dying.log.commit(dying.log.next(), [section('a')], {
    durability: 'local',
    alsoWrite: () => [
      { key: there, value: gone },
      { key: gone, value: undefined },
    ],
  })
  await restOfTask()
  expect(await dying.store.get(there)).toBeUndefined()
  const next = await reopened(dying, kept)
  expect([await next.store.get(there), await next.store.get(gone)]).toEqual([gone, undefined])
})

test('commits that were reported as lost do not come back', async () => {
  let refuses = false
  const kept = aside()
  const peer = await openPeer(two, 0, {
    through: (store) => ({
      ...store,
      aside: kept,
      write: async (writes, durability) => {
        if (refuses && durability === 'synced') throw new PeerplaneError('store-full', 'no room')
        return store.write(writes, durability)
      },
    }),
  })
  await say(peer, 'a')
  peer.log.hasten()
  refuses = true
  await expect(say(peer, 'b')).rejects.toMatchObject({ code: 'store-full' })
  await restOfTask()
  expect(contents(await reopened(peer, kept))).toEqual(['a'])
})
