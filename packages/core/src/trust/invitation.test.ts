import { beforeEach, describe, expect, it } from 'vitest'

import { toHex } from '../bytes.ts'
import type { DeviceId } from '../ids.ts'
import { limits } from '../limits.ts'
import type { SigningKey } from '../ports/crypto.ts'
import { deterministicCrypto as crypto, ManualClock, seededRandom } from '../testing/index.ts'
import { createInvitation, encodeInvitation, readInvitation } from './invitation.ts'
import type { Invitation } from './invitation.ts'
import { createSpace } from './space.ts'

const clock = new ManualClock()
const random = seededRandom(1)
const ports = { crypto, random, clock }
const DAY = 86_400_000

let invitation: Invitation
let text: string

beforeEach(async () => {
  invitation = await inviteTo(await founder())
  text = encodeInvitation(invitation)
})

describe('an invitation', () => {
  it('is read from its text, and from a link to any page', async () => {
    expect(await readInvitation(text, ports)).toEqual(invitation)
    expect(await readInvitation(`https://a.example/b?c=d#join=${text}\n`, ports)).toEqual(
      invitation,
    )
  })

  it.each(['', 'hello', 'pp1.', 'pp1.AAAA', 'https://a.example/#join='])(
    'is not the text %j',
    async (other) => {
      await expectInvalid(other)
    },
  )

  it('that was truncated at any place is refused', async () => {
    for (let length = 0; length < text.length; length++) await expectInvalid(text.slice(0, length))
  })

  it('beyond the limit is refused unread', async () => {
    await expectInvalid(`pp1.${'A'.repeat(limits.invitationBytes)}`)
  })

  it('that was changed is refused, or still leads to the same space', async () => {
    // Addresses are not signed: a wrong one leads to nobody, or to somebody who fails in the handshake.
    const signed = ({ space, grant, chain }: Invitation) => ({ space, grant, chain })
    const outcomes: unknown[] = []
    for (let i = 'pp1.'.length; i < text.length; i++) {
      const changed = text.slice(0, i) + (text[i] === 'A' ? 'B' : 'A') + text.slice(i + 1)
      outcomes.push(await readInvitation(changed, ports).then(signed, ({ code }) => code))
    }
    const refused: unknown[] = ['invalid-invitation', 'needs-update']
    const read = outcomes.filter((outcome) => !refused.includes(outcome))
    expect(read).toEqual(read.map(() => signed(invitation)))
    expect(read.length).toBeLessThan(text.length / 4)
  })

  it('whose issuer is not a member of the space is refused', async () => {
    const other = await inviteTo(await founder())
    await expectInvalid(encodeInvitation({ ...invitation, space: other.space }))
    await expectInvalid(encodeInvitation({ ...invitation, grant: other.grant }))
    const stranger = await crypto.keyFromSeed(random.bytes(32))
    const forged = await inviteTo({ space: invitation.space, key: stranger })
    await expectInvalid(encodeInvitation(forged))
  })
})

async function founder(): Promise<{ space: Invitation['space']; key: SigningKey }> {
  const key = await crypto.keyFromSeed(random.bytes(32))
  return { space: createSpace(toHex(key.publicKey) as DeviceId, 'member', random), key }
}

const inviteTo = (from: { space: Invitation['space']; key: SigningKey }): Promise<Invitation> =>
  createInvitation(
    { ...from, chain: [] },
    { role: 'member', notAfter: clock.now() + DAY, addresses: ['/ip4/127.0.0.1/tcp/7420/ws'] },
    ports,
  )

const expectInvalid = (link: string): Promise<void> =>
  expect(readInvitation(link, ports)).rejects.toMatchObject({ code: 'invalid-invitation' })
