import { decodeCanonical, limits } from '@peerplane/core'

import { joinWith } from '../device.ts'
import {
  call,
  isProof,
  readClaim,
  readHello,
  receive,
  shake,
  type Answer,
  type Saying,
} from '../handshake.ts'
import type { RuleId } from '../rules.ts'
import type { Check, Tester } from '../tester.ts'

/** How membership is proved, and what those see who do not prove it. */
export const handshake: Check = {
  name: 'handshake',
  rules: [
    'R-HANDSHAKE-3',
    'R-HANDSHAKE-5',
    'R-HANDSHAKE-7',
    'R-HANDSHAKE-9',
    'R-HANDSHAKE-10',
    'R-HANDSHAKE-11',
    'R-HANDSHAKE-12',
    'R-HANDSHAKE-13',
  ],
  run: async (tester) => {
    await member(tester)
    const stranger = await joinWith(tester.invitation, tester)
    const flip = (bytes: Uint8Array): Uint8Array =>
      bytes.map((byte, at) => (at === 0 ? byte ^ 1 : byte))
    const critical = [2 ** 30, 0]
    await ends(tester, 'R-HANDSHAKE-12', 'another secret', { secret: new Uint8Array(32) }, 0)
    await ends(tester, 'R-HANDSHAKE-12', 'a wrong mac', { mac: flip }, 0)
    await ends(
      tester,
      'R-HANDSHAKE-10',
      'a statement with a wrong signature',
      { signature: flip },
      2,
    )
    await ends(
      tester,
      'R-HANDSHAKE-7',
      'versions that do not exist yet',
      { versions: [90, 99] },
      1,
      'needs-update',
    )
    await ends(
      tester,
      'R-HANDSHAKE-7',
      'a critical capability that nobody knows',
      { extensions: critical },
      1,
      'needs-update',
    )
    await ends(
      tester,
      'R-HANDSHAKE-5',
      'a capability that nobody knows',
      { extensions: [2 ** 30 + 1, 0], versions: [0, 99] },
      2,
      'admitted',
    )
    await ends(
      tester,
      'R-HANDSHAKE-13',
      'admissions of another device',
      { chain: stranger.chain },
      2,
      'not-a-member',
    )
  },
}

/** Everything that the peer says to a member. */
async function member(tester: Tester): Promise<void> {
  const { verdicts } = tester
  const device = await joinWith(tester.invitation, tester)
  const answer = await call(tester, (channel) => shake(tester, channel, device))
  const { frames } = answer
  const sizes = frames.map(({ length }) => length)
  verdicts.must(
    'R-HANDSHAKE-3',
    sizes.every((size) => size <= limits.handshakeBytes),
    `frames have ${sizes.join()} bytes`,
  )
  const [hello, claim] = frames
  verdicts.must(
    'R-HANDSHAKE-5',
    hello !== undefined && isRight(() => readHello(hello)),
    'the answer to the first frame is no hello with a mac',
  )
  verdicts.must(
    'R-HANDSHAKE-9',
    isRight(() => isProof(hello!, answer) || fail()),
    'the mac of the responder is wrong',
  )
  // Ignored: a claim that cannot be read proves nothing.
  const proved = claim && (await readClaim(tester, claim, answer).catch(() => undefined))
  verdicts.must(
    'R-HANDSHAKE-10',
    proved?.signed === true,
    'the statement of the responder is not signed for this handshake',
  )
  verdicts.must(
    'R-HANDSHAKE-11',
    proved?.admitted === true,
    'the admissions of the responder do not lead to its device',
  )
  verdicts.must('R-HANDSHAKE-13', lastWord(answer) === 'admitted', 'a member is not admitted')
}

/** Says something else, and sees how many frames come before the last word, if there is one. */
async function ends(
  tester: Tester,
  rule: RuleId,
  what: string,
  saying: Saying,
  before: number,
  word?: string,
): Promise<void> {
  const device = await joinWith(tester.invitation, tester)
  const answer = await call(tester, (channel) => shake(tester, channel, device, saying))
  const said = lastWord(answer)
  const frames = answer.frames.length - (said === undefined ? 0 : 1)
  const expected = word === undefined ? 'closes the connection' : `says "${word}"`
  const found =
    said === undefined
      ? answer.closed
        ? 'closes the connection'
        : 'says nothing'
      : `says "${said}"`
  tester.verdicts.judge(
    rule,
    said === word && frames === before && (word !== undefined || answer.closed),
    `${what}: the peer should send ${before} frames and ${expected}; it sends ${frames} and ${found}`,
  )
}

/** Says nothing. It takes as long as a handshake may. */
export const silence: Check = {
  name: 'silence',
  rules: ['R-HANDSHAKE-1'],
  run: async (tester) => {
    const frame = await call(tester, (channel) => receive(tester, channel))
    tester.verdicts.must(
      'R-HANDSHAKE-1',
      frame === undefined,
      'a connection over which nothing is said stays open',
    )
  },
}

/** A verdict: the only item of the last frame. */
function lastWord({ frames }: Answer): string | undefined {
  const last = frames.at(-1)
  if (!last) return undefined
  try {
    const value = decodeCanonical(last)
    const [word] = Array.isArray(value) && value.length === 1 ? (value as readonly unknown[]) : []
    return typeof word === 'string' ? word : undefined
  } catch {
    // Ignored: it is no verdict.
    return undefined
  }
}

function isRight(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch {
    // Ignored: it is not.
    return false
  }
}

function fail(): never {
  throw new Error('wrong')
}
