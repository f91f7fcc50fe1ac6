import {
  admit,
  decodeCanonical,
  encodeCanonical,
  firstPrevious,
  sessionIdOf,
  signGrant,
  type Value,
} from '@peerplane/core'
import { beforeEach, describe, expect, test } from 'vitest'

import {
  crypto,
  deviceOf,
  members,
  openPeer,
  runOf,
  write,
  type Members,
  type Peer,
} from './peer.fixture.test.ts'

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

describe('a session whose opening or admission has unknown keys', () => {
  /** The second of three devices, with an admission that has these keys. */
  async function joined(of: 'grant' | 'admission', key: number): Promise<Members> {
    const [first, second, third] = three.devices
    const { grant } = second!.chain[0]!
    const keys = [[key, 'news']] as const
    const inviteKey = await crypto.keyFromSeed(new Uint8Array(32).fill(9))
    const fields = {
      space: grant.space,
      inviteKey: inviteKey.publicKey,
      role: grant.role,
      notAfter: grant.notAfter,
      ...(of === 'grant' ? { extensions: keys } : {}),
    }
    const admission = await admit(
      await signGrant(fields, first!.key),
      deviceOf(second!.key),
      inviteKey,
      of === 'admission' ? keys : undefined,
    )
    return { ...three, devices: [first!, { ...second!, chain: [admission] }, third!] }
  }

  test.each([
    ['grant', 1, true],
    ['grant', 2, false],
    ['admission', 1, true],
    ['admission', 2, false],
  ] as const)(
    'is stored and passed on unchanged; it counts unless a key of its %s is critical: %i',
    async (of, key, isUnderstood) => {
      const extended = await openPeer(await joined(of, key), 1)
      await write(extended, 'first session')
      const run = await runOf(extended)
      await alice.log.admit(run)
      expect(alice.log.isUnderstood(run.session)).toBe(isUnderstood)
      expect(alice.seen).toHaveLength(1)
      const again = await openPeer(three, 0, { store: alice.store })
      expect(again.log.isUnderstood(run.session)).toBe(isUnderstood)
      const passed = await runOf(again, run.session)
      expect(passed).toEqual(run)
      await carol.log.admit(passed)
      expect(carol.log.isUnderstood(run.session)).toBe(isUnderstood)
      // A later session comes with a chain that is stored.
      const later = await openPeer(await joined(of, key), 1, { seed: 1 })
      await write(later, 'second session')
      const second = await runOf(later)
      await alice.log.admit(second)
      expect(alice.log.isUnderstood(second.session)).toBe(isUnderstood)
    },
  )

  test('is neither stored nor passed on if its opening has a later version', async () => {
    await write(bob, 'first session')
    const run = await runOf(bob)
    const fields = decodeCanonical(run.opening!.bytes) as Value[]
    const bytes = encodeCanonical([2, { form: 'of later' }, ...fields.slice(1)])
    const session = sessionIdOf(firstPrevious(bytes))
    const opening = { ...run.opening!, bytes }
    await expect(alice.log.admit({ ...run, session, opening })).rejects.toMatchObject({
      code: 'needs-update',
    })
    expect(alice.log.stored().size).toBe(0)
  })
})
