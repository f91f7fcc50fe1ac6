import { encodeCanonical, fromHex, tipToValue, type Value } from '@peerplane/core'

import { joinWith, type TestDevice } from '../device.ts'
import { list, runs } from '../messages.ts'
import { Probe } from '../probe.ts'
import type { RuleId } from '../rules.ts'
import { note } from '../session.ts'
import type { Check, Tester } from '../tester.ts'
import { arrive, begin, reasonOfBye } from './scene.ts'

type Frame = (tester: Tester, probe: Probe) => Promise<Uint8Array> | Uint8Array
type Case = readonly [rule: RuleId, what: string, code: 'malformed' | 'too-large', frame: Frame]

const bytes =
  (...all: readonly number[]): Frame =>
  () =>
    new Uint8Array(all)
const value =
  (given: Value): Frame =>
  () =>
    encodeCanonical(given)
const tip = tipToValue({ session: '0'.repeat(32) as never, seq: 1, mark: '0'.repeat(32) })
const times = <Item>(count: number, item: Item): Item[] => Array.from({ length: count }, () => item)

/** Frames that cannot be decoded. */
const cases: readonly Case[] = [
  ['R-MESSAGE-1', 'bytes that are not CBOR', 'malformed', bytes(0xff)],
  // Each would be a want of nothing, or of an unknown kind, if it were accepted.
  ['R-FORM-1', 'a tag', 'malformed', bytes(0x82, 0x03, 0xc1, 0x80)],
  ['R-FORM-2', 'a long integer', 'malformed', bytes(0x82, 0x18, 0x03, 0x80)],
  ['R-FORM-2', 'a byte after the message', 'malformed', bytes(0x82, 0x03, 0x80, 0x00)],
  ['R-FORM-4', 'an integer as a float', 'malformed', bytes(0x82, 0xf9, 0x42, 0x00, 0x80)],
  [
    'R-FORM-4',
    'a map whose keys are not in order',
    'malformed',
    bytes(0x82, 0x18, 0x1e, 0xa2, 0x61, 0x62, 0x01, 0x61, 0x61, 0x01),
  ],
  ['R-SUMMARY-1', 'a summary without the flag', 'malformed', value([1, []])],
  ['R-TIP-2', 'a path with capital letters', 'malformed', value([7, 'AB', 0])],
  ['R-HAVE-1', 'a have with 1,025 tips', 'too-large', value([2, times(1_025, tip), []])],
  ['R-HAVE-2', 'a have with 65 paths', 'too-large', value([2, [], times(65, '')])],
  [
    'R-WANT-1',
    'a want with 1,025 ranges',
    'too-large',
    value([3, times(1_025, [fromHex('0'.repeat(32)), 1, 1])]),
  ],
  [
    'R-PEERS-1',
    'a peers with 65 peers',
    'too-large',
    value([5, times(65, ['x', [], new Uint8Array(32)])]),
  ],
  [
    'R-RUN-5',
    'two runs of one session',
    'malformed',
    async (tester, probe) => {
      const session = begin(tester, probe)
      await session.write({})
      return encodeCanonical(runs(session.run(), session.run()))
    },
  ],
  [
    'R-RUN-7',
    'a run from commit 2 with an opening',
    'malformed',
    async (tester, probe) => {
      const session = begin(tester, probe)
      await session.write({})
      const second = await session.write({})
      return encodeCanonical(runs({ ...session.run([second]), opening: session.run().opening }))
    },
  ],
  [
    'R-RUN-9',
    'two runs of 40 KiB together',
    'too-large',
    async (tester, probe) => {
      const sessions = [begin(tester, probe), begin(tester, probe)] as const
      for (const session of sessions) await session.write({ sections: [note(20_000)] })
      return encodeCanonical(runs(...sessions.map((session) => session.run())))
    },
  ],
]

/** How many devices are let in and refused at a time. */
const LANES = 3

export const garbage: Check = {
  name: 'garbage',
  rules: ['R-MESSAGE-3', 'R-MESSAGE-4', 'R-EXTENSION-4', 'R-BYE-1', ...cases.map(([rule]) => rule)],
  run: async (tester) => {
    await unknownKind(tester)
    const left = [...cases]
    const work = async (): Promise<void> => {
      for (let next = left.shift(); next; next = left.shift()) await refused(tester, next)
    }
    await Promise.all(Array.from({ length: LANES }, work))
    await refusedAgain(tester)
  },
}

async function unknownKind(tester: Tester): Promise<void> {
  const probe = await arrive(tester)
  await probe.send([99, ['from', 'a', 'newer', 'version'], { and: null }])
  const page = await probe.ask(list('', 0), (message) =>
    message.kind === 'page' ? true : undefined,
  )
  tester.verdicts.must(
    'R-MESSAGE-4',
    page === true,
    probe.missing('an answer after a message of an unknown kind'),
  )
  // One that is to be ignored, and one that is to be answered.
  await probe.send([7, 'e', 0, [102, 'newer']])
  const path = await probe.ask([7, 'f', 0, [101, 'newer']], (message) =>
    message.kind === 'page' ? message.path : undefined,
  )
  tester.verdicts.must('R-MESSAGE-4', path !== 'e', 'a message with a critical key is answered')
  tester.verdicts.must(
    'R-EXTENSION-4',
    path !== undefined,
    probe.missing('an answer to a message with an odd key'),
  )
  await probe.close()
}

/** A bye with the code, and nothing after it. */
async function refused(
  tester: Tester,
  [rule, what, code, frame]: Case,
  device?: TestDevice,
): Promise<void> {
  const { verdicts } = tester
  const probe = await arrive(tester, device)
  await probe.sendBytes(await frame(tester, probe))
  // It answers this only if it took the frame.
  const answer = await probe.ask(list('f', 0), (message) =>
    message.kind === 'bye' || message.kind === 'page' ? message : undefined,
  )
  if (answer?.kind === 'page') verdicts.broke(rule, `${what} is accepted`)
  else verdicts.kept(rule)
  const ended = await probe.ends()
  verdicts.must(
    'R-MESSAGE-3',
    answer?.kind === 'page' || ended,
    `a link is still open after ${what}`,
  )
  if (ended) {
    const reason = probe.heard
      .map(({ message }) => reasonOfBye(message))
      .find((each) => each !== undefined)
    verdicts.must(
      'R-MESSAGE-3',
      reason === code,
      reason === undefined
        ? `a link ended without a bye after ${what}`
        : `the bye after ${what} says ${reason} instead of ${code}`,
    )
  }
  await probe.close()
}

/** A device that sent such a frame comes back at once. */
async function refusedAgain(tester: Tester): Promise<void> {
  const device = await joinWith(tester.invitation, tester)
  await refused(tester, cases[0]!, device)
  let probe: Probe
  try {
    probe = await Probe.open(tester, device)
  } catch {
    // Ignored: it is refused already in the handshake.
    tester.verdicts.kept('R-MESSAGE-3')
    return
  }
  const page = await probe.ask(list('', 0), (message) =>
    message.kind === 'page' ? true : undefined,
  )
  tester.verdicts.must(
    'R-MESSAGE-3',
    page === undefined,
    'a device is served within ten seconds after it sent a frame that cannot be decoded',
  )
  await probe.close()
}
