import { beforeEach, expect, test } from 'vitest'

import { members, openPeer, runOf, write, type Peer } from './peer.fixture.test.ts'

const three = await members(3)
let alice: Peer
let bob: Peer
let carol: Peer

beforeEach(async () => {
  alice = await openPeer(three, 0)
  bob = await openPeer(three, 1)
  carol = await openPeer(three, 2)
})

test('a forged chain does not take the place of a good one that ends in the same admission', async () => {
  await write(carol, 'first session')
  const run = await runOf(carol)
  await alice.log.admit(run)
  const later = await openPeer(three, 2, { seed: 1 })
  await write(later, 'second session')
  const second = await runOf(later)
  const { chain } = second.opening!
  const forged = { ...second.opening!, chain: [chain.at(-1)!, chain.at(-1)!] }
  await expect(alice.log.admit({ ...second, opening: forged })).rejects.toMatchObject({
    code: 'not-a-member',
  })
  await alice.log.admit(second)
  // What alice passes on convinces somebody who has never heard of carol.
  for (const { session } of [run, second]) await bob.log.admit(await runOf(alice, session))
  expect(bob.seen).toHaveLength(2)
})
