import {
  admit,
  createSpace,
  dateText,
  decodeAdmission,
  decodeCanonical,
  encodeCanonical,
  hash,
  limits,
  mac,
  signGrant,
  toHex,
  type Admission,
  type DeviceId,
  type Protocol,
  type Role,
  type SigningKey,
  type Space,
} from '@peerplane/core'
import { beforeEach, describe, expect, it } from 'vitest'

import { authenticate, type Self } from './handshake.ts'
import { makeHello, PROTOCOL } from './hello.ts'
import { Served } from './served.ts'
import { randomFrom } from '../testing/devices.fixture.test.ts'
import { signStatement, statementToValue } from './statement.ts'
import { contextOf } from './transcript.ts'
import { channelPair, type TestChannel } from '../testing/channel-pair.fixture.test.ts'
import { ed25519 } from '../testing/ed25519.fixture.test.ts'
import { manualTime, type ManualTime } from '../testing/manual-time.fixture.test.ts'

const { crypto: ed, busy } = ed25519(crypto.subtle)

async function rest() {
  do await new Promise((resolve) => setImmediate(resolve))
  while (busy())
}

const seed = (name: string) => hash('seed', encodeCanonical(name))
const idOf = (key: SigningKey) => toHex(key.publicKey) as DeviceId
const HOUR = 3_600_000

let time: ManualTime
let space: Space
let creator: SigningKey
let guest: SigningKey
let chain: Admission[]
let known: Set<DeviceId>

async function invite(
  notAfter: number,
  issuer = creator,
  device = guest,
  role: Role = 'member',
): Promise<Admission> {
  const inviteKey = await ed.keyFromSeed(seed('invite'))
  const grant = { space: space.record.id, inviteKey: inviteKey.publicKey, role, notAfter }
  return admit(await signGrant(grant, issuer), idOf(device), inviteKey)
}

beforeEach(async () => {
  time = manualTime(rest)
  creator = await ed.keyFromSeed(seed('creator'))
  guest = await ed.keyFromSeed(seed('guest'))
  space = createSpace(idOf(creator), 'anchor', randomFrom('space'))
  chain = [await invite(time.now() + HOUR)]
  known = new Set()
})

function self(key: SigningKey, changes: Partial<Self> = {}): Self {
  return {
    space,
    key,
    chain: key === guest ? chain : [],
    crypto: ed,
    random: randomFrom(idOf(key)),
    clock: time,
    scheduler: time,
    isKnown: (device) => known.has(device),
    ...changes,
  }
}

/** What `me` makes of a handshake. */
const run = (channel: TestChannel, me: Self) =>
  authenticate(channel, me, new Served(channel.localPeer, me))

const codeOf = (error: unknown): string => (error as { code: string }).code

/** Both ends of a handshake: what each resolved to, or its error code. A network closes a channel whose handshake fails. */
async function shake(channels: [TestChannel, TestChannel], ...selves: [Self, Self]) {
  const end = async (channel: TestChannel, me: Self) => {
    try {
      return await run(channel, me)
    } catch (error) {
      channel.close()
      return codeOf(error)
    }
  }
  const both = Promise.all([end(channels[0], selves[0]), end(channels[1], selves[1])])
  await time.pass(limits.handshakeMs + 1)
  return both
}

describe('two members', () => {
  it('learn who the other is', async () => {
    const [initiator, responder] = await shake(channelPair('a', 'b'), self(guest), self(creator))
    expect(initiator).toEqual({ device: idOf(creator), anchor: true, chain: [] })
    expect(responder).toEqual({ device: idOf(guest), anchor: false, chain })
  })

  it('a device learns from admissions whether a member is an anchor, not from what the member says', async () => {
    const second = await ed.keyFromSeed(seed('second'))
    const roleOfSecond = async (first: Role): Promise<unknown> => {
      const end = time.now() + HOUR
      const path = [
        await invite(end, creator, guest, first),
        await invite(end, guest, second, 'anchor'),
      ]
      return (await shake(channelPair('a', 'b'), self(second, { chain: path }), self(creator)))[1]
    }
    expect(await roleOfSecond('anchor')).toMatchObject({ device: idOf(second), anchor: true })
    expect(await roleOfSecond('member')).toMatchObject({ device: idOf(second), anchor: false })
  })

  it('succeed with the sides swapped', async () => {
    const [initiator, responder] = await shake(channelPair('a', 'b'), self(creator), self(guest))
    expect(initiator).toMatchObject({ device: idOf(guest) })
    expect(responder).toMatchObject({ device: idOf(creator) })
  })
})

describe('a stranger', () => {
  const strange = () => ({ ...space, secret: new Uint8Array(32) })

  it('without the secret is refused, and sees nothing', async () => {
    const channels = channelPair('a', 'b')
    const results = await shake(channels, self(guest, { space: strange() }), self(creator))
    expect(results).toEqual(['handshake-failed', 'handshake-failed'])
    expect(channels[1].sent).toEqual([])
  })

  it('to whom a device connects sees one frame, and cannot use it in another handshake', async () => {
    const channels = channelPair('a', 'b')
    const results = await shake(channels, self(guest), self(creator, { space: strange() }))
    expect(results).toEqual(['handshake-failed', 'handshake-failed'])
    expect(channels[0].sent.map((frame) => frame.length)).toEqual([91])
    const [selector, , proof] = decodeCanonical(channels[0].sent[0]!) as Uint8Array[]
    // Neither is accepted by a member with another network id.
    const [attacker, victim] = channelPair('b', 'c')
    const outcome = run(victim, self(creator)).catch(codeOf)
    const hello = makeHello(PROTOCOL, new Uint8Array(32)).bytes
    await attacker.send(encodeCanonical([selector!, hello, proof!]))
    expect(await outcome).toBe('handshake-failed')
  })

  it('who stays silent is cut off after a timeout, on both sides', async () => {
    const results = await shake(
      channelPair('a', 'b', () => undefined),
      self(guest),
      self(creator),
    )
    expect(results).toEqual(['handshake-failed', 'handshake-failed'])
  })

  it('cannot use a recorded handshake', async () => {
    const recorded = channelPair('a', 'b')
    await shake(recorded, self(guest), self(creator))
    for (const side of [0, 1] as const) {
      const [initiator, responder] = channelPair('a', 'b')
      const [attacker, victim] = side === 0 ? [initiator, responder] : [responder, initiator]
      for (const frame of recorded[side].sent) await attacker.send(frame)
      const me = side === 0 ? self(creator) : self(guest)
      const fresh = { ...me, random: randomFrom('another time') }
      const outcome = run(victim, fresh).catch(codeOf)
      await time.pass(limits.handshakeMs + 1)
      expect(await outcome).toBe('handshake-failed')
    }
  })

  it('who has a device of the space, but not the secret, can neither invent nor reflect a mac', async () => {
    for (const forge of [() => new Uint8Array(32), (proof: Uint8Array) => proof]) {
      const [victim, attacker] = channelPair('a', 'b')
      const outcome = run(victim, self(guest)).catch(codeOf)
      const frame = decodeCanonical(await attacker.receive()) as Uint8Array[]
      const [, hello, proof] = frame as [Uint8Array, Uint8Array, Uint8Array]
      await attacker.send(encodeCanonical([hello, forge(proof)]))
      const transcript = { initiator: 'a', responder: 'b', hello, answer: hello }
      const statement = await signStatement(contextOf(space, transcript, 'responder'), creator)
      await attacker.send(encodeCanonical([statementToValue(statement), []]))
      await time.pass(limits.handshakeMs + 1)
      expect(await outcome).toBe('handshake-failed')
      expect(attacker.sent).toHaveLength(2)
      expect(victim.sent).toHaveLength(1)
    }
  })

  it('who knows a selector, but not the secret, is shown nothing', async () => {
    const recorded = channelPair('a', 'b')
    await shake(recorded, self(guest), self(creator))
    const [selector, hello] = decodeCanonical(recorded[0].sent[0]!) as Uint8Array[]
    for (const key of [new Uint8Array(32), selector!]) {
      const [attacker, victim] = channelPair('a', 'b')
      const outcome = run(victim, self(creator)).catch(codeOf)
      await attacker.send(encodeCanonical([selector!, hello!, mac(key, 'handshake', hello!)]))
      expect(await outcome).toBe('handshake-failed')
      expect(victim.sent).toEqual([])
    }
  })

  it('in the middle cannot relay a handshake, because it is bound to network ids', async () => {
    const [a, toA] = channelPair('a', 'middle')
    const [toB, b] = channelPair('middle', 'b')
    const pump = async (from: TestChannel, to: TestChannel): Promise<void> => {
      for (;;) await to.send(await from.receive())
    }
    for (const each of [pump(toA, toB), pump(toB, toA)]) each.catch(() => {})
    expect(await shake([a, b], self(guest), self(creator))).toEqual([
      'handshake-failed',
      'handshake-failed',
    ])
  })

  it('cannot have a verdict believed before it proves the secret', async () => {
    const [victim, attacker] = channelPair('a', 'b')
    const outcome = run(victim, self(guest)).catch(codeOf)
    await attacker.send(encodeCanonical(['expired-invitation']))
    await time.pass(1)
    expect(await outcome).toBe('handshake-failed')
  })

  it('gets nowhere with damaged frames, wherever the damage is', async () => {
    const places = [(frame: Uint8Array) => frame.length - 1, () => 1, () => 8]
    const cases = (frames: number[]) =>
      places.flatMap((at) => frames.map((index) => ({ at, index })))
    for (const [sender, frames] of Object.entries({ a: [0, 1], b: [0, 1, 2] })) {
      for (const { at, index } of cases(frames)) {
        let count = 0
        const channels = channelPair('a', 'b', (frame, from) => {
          if (from !== sender || count++ !== index) return frame
          return frame.map((byte, i) => (i === at(frame) ? byte ^ 1 : byte))
        })
        const results = await shake(channels, self(guest), self(creator))
        expect(results[sender === 'a' ? 1 : 0]).toMatch(/^(handshake-failed|not-a-member)$/)
      }
    }
  })

  it('cannot fill memory with a large frame', async () => {
    const [attacker, victim] = channelPair('a', 'b')
    const outcome = run(victim, self(creator)).catch((error) => error)
    await attacker.send(new Uint8Array(limits.handshakeBytes + 1))
    await time.pass(1)
    expect(await outcome).toMatchObject({ code: 'handshake-failed' })
  })
})

describe('a holder of the secret', () => {
  it('cannot speak for another network id, on either side', async () => {
    for (const liar of [0, 1] as const) {
      const channels = channelPair('a', 'b')
      channels[liar] = { ...channels[liar], localPeer: 'c' }
      expect(await shake(channels, self(guest), self(creator))).toEqual([
        'handshake-failed',
        'handshake-failed',
      ])
    }
  })

  it('with a clock that is years off is let in', async () => {
    known.add(idOf(guest))
    for (const years of [-40, 40]) {
      const clock = { now: () => time.now() + years * 365 * 24 * HOUR }
      const results = await shake(channelPair('a', 'b'), self(creator, { clock }), self(guest))
      expect(results[1]).toMatchObject({ device: idOf(creator) })
    }
  })

  it("cannot use another device's statement of another handshake", async () => {
    const recorded = channelPair('a', 'b')
    await shake(recorded, self(guest), self(creator))
    const stolen = recorded[0].sent[1]!
    const thief = await ed.keyFromSeed(seed('thief'))
    const channels = channelPair('a', 'b', (frame, from) =>
      from === 'a' && frame.length > 200 ? stolen : frame,
    )
    const fresh = { chain, random: randomFrom('another time') }
    const results = await shake(channels, self(thief, fresh), self(creator))
    expect(results).toEqual(['handshake-failed', 'handshake-failed'])
  })

  it('without an admission is refused, and learns why', async () => {
    const results = await shake(channelPair('a', 'b'), self(guest, { chain: [] }), self(creator))
    expect(results).toEqual(['not-a-member', 'not-a-member'])
  })

  it('with a forged chain of admissions is refused', async () => {
    const [admission] = chain
    const forgedBytes = admission!.bytes.map((byte, i, all) =>
      i === all.length - 1 ? byte ^ 1 : byte,
    )
    const forged = [decodeAdmission(forgedBytes)]
    const results = await shake(
      channelPair('a', 'b'),
      self(creator),
      self(guest, { chain: forged }),
    )
    expect(results).toEqual(['not-a-member', 'not-a-member'])
  })

  it("with somebody else's chain is no member", async () => {
    const thief = await ed.keyFromSeed(seed('thief'))
    const results = await shake(channelPair('a', 'b'), self(thief, { chain }), self(creator))
    expect(results).toEqual(['not-a-member', 'not-a-member'])
  })
})

describe('two devices', () => {
  const speaking = (key: SigningKey, lowest: number, highest: number, ...keys: number[]): Self => {
    const protocol: Protocol = { lowest, highest, capabilities: keys.map((each) => [each, true]) }
    return self(key, { protocol })
  }
  /** What both sides of a handshake say, the initiator first. */
  const said = async (...selves: [Self, Self]): Promise<string[]> => {
    const [at, from] = channelPair('a', 'b')
    const ends = [run(at, selves[0]), run(from, selves[1])]
    return Promise.all(ends.map((end) => end.then(String, (error: Error) => error.message)))
  }

  it.each([
    [1, 1, 1, 3],
    [1, 3, 3, 4],
    [2, 2, 2, 2],
  ])('with a common version speak: %i to %i, and %i to %i', async (a, b, c, d) => {
    const [initiator, responder] = await shake(
      channelPair('a', 'b'),
      speaking(guest, a, b, 7),
      speaking(creator, c, d, 1, 3),
    )
    expect(initiator).toMatchObject({ device: idOf(creator) })
    expect(responder).toMatchObject({ device: idOf(guest) })
  })

  it('without a common version both get an error that names the older side', async () => {
    for (const [old, young] of [
      [speaking(guest, 1, 1), speaking(creator, 2, 3)],
      [speaking(creator, 1, 1), speaking(guest, 2, 3)],
    ] as [Self, Self][]) {
      for (const selves of [
        [old, young],
        [young, old],
      ] as [Self, Self][]) {
        const channels = channelPair('a', 'b')
        expect(await shake(channels, ...selves)).toEqual(['needs-update', 'needs-update'])
        const messages = await said(...selves)
        const isOld = selves.map((each) => each === old)
        messages.forEach((message, side) => {
          const [peer, mine] = isOld[side]
            ? ['versions 2 to 3', 'version 1']
            : ['version 1', 'versions 2 to 3']
          expect(message).toBe(
            `the peer ${side === 0 ? 'b' : 'a'} speaks ${peer} of the protocol only, and this device ${mine}. Update ${isOld[side] ? 'this device' : 'the peer'}.`,
          )
        })
        // Who they are has been shown by neither.
        expect(channels.flatMap(({ sent }) => sent).every(({ length }) => length < 100)).toBe(true)
      }
    }
  })

  it('both get an error if one of them requires a capability that the other does not know', async () => {
    for (const selves of [
      [speaking(guest, 1, 1, 2), self(creator)],
      [self(guest), speaking(creator, 1, 1, 1, 4)],
    ] as [Self, Self][]) {
      expect(await shake(channelPair('a', 'b'), ...selves)).toEqual([
        'needs-update',
        'needs-update',
      ])
      const messages = await said(...selves)
      expect(messages.filter((message) => message.endsWith('Update this device.'))).toHaveLength(1)
      expect(messages.filter((message) => message.endsWith('Update the peer.'))).toHaveLength(1)
    }
  })

  it('cannot be deceived about the version of the other side', async () => {
    const changed = async (sender: string, at: number): Promise<unknown[]> => {
      let count = 0
      const channels = channelPair('a', 'b', (frame, from) =>
        from === sender && count++ === 0
          ? frame.map((byte, i) => (i === at ? byte ^ 3 : byte))
          : frame,
      )
      return shake(channels, speaking(guest, 1, 3, 1), speaking(creator, 1, 3, 1))
    }
    // Every byte of the first frame of each side: what it speaks, its nonce, its mac.
    for (let at = 0; at < 77; at++) {
      for (const sender of ['a', 'b']) {
        expect(await changed(sender, at)).toEqual(['handshake-failed', 'handshake-failed'])
      }
    }
  })
})

describe('an invitation that is valid for too long', () => {
  it('does not admit a new device, and both sides learn which clocks disagree', async () => {
    chain = [await invite(time.now() + 10 * 365 * 24 * HOUR)]
    const [at, from] = channelPair('a', 'b')
    const member = run(at, self(creator)).catch((error: Error) => error.message)
    const stranger = run(from, self(guest)).catch((error: Error) => error.message)
    const end = dateText(chain[0]!.grant.notAfter)
    for (const message of await Promise.all([member, stranger])) {
      expect(message).toContain(`the invitation ends at ${end}`)
      expect(message).toContain(`the clock of this device says ${dateText(time.now())}`)
      expect(message).toContain('Correct the wrong clock')
    }
  })
})

describe('an invitation that has expired', () => {
  beforeEach(async () => {
    chain = [await invite(time.now() - 1)]
  })

  it('does not admit a new device, and both sides learn why', async () => {
    for (const selves of [
      [self(guest), self(creator)],
      [self(creator), self(guest)],
    ] as [Self, Self][]) {
      const results = await shake(channelPair('a', 'b'), ...selves)
      expect(results).toEqual(['expired-invitation', 'expired-invitation'])
    }
  })

  it('does not shut out a device that was admitted before', async () => {
    known.add(idOf(guest))
    const results = await shake(channelPair('a', 'b'), self(guest), self(creator))
    expect(results[1]).toMatchObject({ device: idOf(guest) })
  })

  it('cannot be made up for by an invitation that its holder issues', async () => {
    const second = await ed.keyFromSeed(seed('second'))
    chain = [...chain, await invite(time.now() + HOUR, guest, second)]
    const comes = () => shake(channelPair('a', 'b'), self(second, { chain }), self(creator))
    expect(await comes()).toEqual(['expired-invitation', 'expired-invitation'])
    // The guest of a member that was let in in time is welcome.
    known.add(idOf(guest))
    expect((await comes())[1]).toMatchObject({ device: idOf(second) })
    // A device that was let in itself needs no other to be known.
    known = new Set([idOf(second)])
    expect((await comes())[1]).toMatchObject({ device: idOf(second) })
  })
})
