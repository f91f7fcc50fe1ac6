import {
  encodeBatch,
  encodeCanonical,
  entityKey,
  equalBytes,
  type Extensions,
  type Run,
  type Section,
} from '@peerplane/core'

import { runs } from '../messages.ts'
import type { Probe } from '../probe.ts'
import type { RuleId } from '../rules.ts'
import { note, type HandmadeSession } from '../session.ts'
import type { Check, Tester } from '../tester.ts'
import { arrive, begin } from './scene.ts'

/** Batches that one device pushes come back to another one as they were. */
export const writing: Check = {
  name: 'writing',
  rules: [
    'R-TIP-1',
    'R-FORM-7',
    'R-FRAME-5',
    'R-RUN-12',
    'R-RUN-15',
    'R-RUN-3',
    'R-RUN-7',
    'R-RUN-10',
    'R-RUN-11',
    'R-WANT-1',
    'R-BATCH-1',
    'R-COMMIT-6',
    'R-SECTION-2',
    'R-EXTENSION-3',
    'R-EXTENSION-5',
    'R-BATCH-5',
    'R-SUMMARY-2',
  ],
  run: async (tester) => {
    const author = await arrive(tester)
    const reader = await arrive(tester)
    const plain = begin(tester, author)
    await plain.write({ sections: kernels }, {}, { sections: [note(), note(9, 'other')] })
    // Earlier than the commit before it, and later than any clock.
    await plain.write(
      { time: { ms: 0, counter: 65_535 } },
      { time: { ms: 2 ** 45, counter: 0 } },
      { sections: [] },
    )
    await plain.write({ sections: [note(20_000)] })
    await pushed(tester, author, plain, 'R-COMMIT-6')
    await comesBack(tester, reader, plain, 'R-BATCH-1')
    await partly(tester, reader, plain)
    await extended(tester, author, reader)
    const odd = begin(tester, author)
    await odd.write({ sections: [note(1, 'a\u202eb')] })
    await pushed(tester, author, odd, 'R-SECTION-2')
    await comesBack(tester, reader, odd, 'R-SECTION-2')
    await someOfThem(tester, author)
    await inOrder(tester, author, reader)
    await forgedInside(tester, author, reader)
    await Promise.all([author.close(), reader.close()])
  },
}

/** An op of each native kernel. What they do to state, the test vectors check. */
const kernels: readonly Section[] = ['counter', 'register', 'set', 'map', 'record'].map((name) => ({
  entity: entityKey('conformance', name),
  modelVersion: 1,
  body: encodeCanonical([[], [1]]),
}))

/** Pushes a session and sees that it has been delivered. */
export async function pushed(
  tester: Tester,
  probe: Probe,
  session: HandmadeSession,
  rule: RuleId,
): Promise<void> {
  await probe.send(runs(session.run()))
  const tip = await probe.tipOf(session.record.session)
  const { verdicts } = tester
  verdicts.must(rule, tip !== undefined, 'a session that its author pushed is not delivered')
  const { seq, mark } = session.tip
  verdicts.must(
    'R-TIP-1',
    tip!.seq === seq && tip!.mark === mark,
    `the tip is ${tip!.seq} ${tip!.mark} instead of ${seq} ${mark}`,
  )
}

/** Asks another link for all of a session, and compares every byte. */
async function comesBack(
  tester: Tester,
  probe: Probe,
  session: HandmadeSession,
  rule: RuleId,
): Promise<void> {
  const { verdicts, ledger } = tester
  const { record, tip, batches } = session
  ledger.forget(record.session)
  await probe.want({ session: record.session, from: 1, to: tip.seq })
  const opening = await probe.wait((message) => findRun(message, record.session)?.opening)
  verdicts.must('R-WANT-1', opening !== undefined, probe.missing('a session that was asked for'))
  verdicts.must(
    'R-RUN-7',
    equalBytes(opening!.bytes, record.bytes),
    'an opening comes back with other bytes',
  )
  const isWhole = (): true | undefined =>
    ledger.reached(record.session) >= tip.seq ? true : undefined
  verdicts.must(
    'R-WANT-1',
    (await probe.wait(isWhole)) === true,
    probe.missing('the end of a session'),
  )
  for (const batch of batches) {
    const end = batch.commits.at(-1)!.header.seq
    const came = ledger.batchAt(record.session, end)
    verdicts.must(
      rule,
      came !== undefined && equalBytes(came, encodeBatch(batch)),
      `the batch that ends with commit ${end} comes back with other bytes`,
    )
  }
}

/** A range that begins inside a batch begins with that batch. */
async function partly(
  { verdicts }: Tester,
  probe: Probe,
  { record, tip }: HandmadeSession,
): Promise<void> {
  const since = probe.heard.length
  await probe.want({ session: record.session, from: 5, to: tip.seq })
  const run = await probe.wait((message) => findRun(message, record.session), undefined, since)
  verdicts.must(
    'R-WANT-1',
    run?.from === 4,
    run
      ? `commit 5 is in a batch from 4 on, and the run begins at ${run.from}`
      : probe.missing('a part of a session'),
  )
}

const odd: Extensions = [[2 ** 30 + 1, ['new']]]
const critical: Extensions = [[2 ** 30, { more: true }]]

/** Records with extensions that nobody knows, ignorable and critical ones. */
async function extended(tester: Tester, author: Probe, reader: Probe): Promise<void> {
  const cases = [
    ['R-EXTENSION-3', odd],
    ['R-EXTENSION-5', critical],
  ] as const
  for (const [rule, extensions] of cases) {
    const session = begin(tester, author, { extensions })
    await session.write({ sections: [{ ...note(), extensions }], extensions }, { extensions })
    await session.write({})
    await pushed(tester, author, session, rule)
    await comesBack(tester, reader, session, rule)
  }
}

/** Of several runs in one message, those that are right are taken. */
async function someOfThem(tester: Tester, author: Probe): Promise<void> {
  const sessions = [begin(tester, author), begin(tester, author), begin(tester, author)] as const
  for (const session of sessions) await session.write({})
  const [first, forged, last] = sessions
  const [batch] = forged.batches
  const signature = batch!.signature!.map((byte, index) => (index === 0 ? byte ^ 1 : byte))
  await author.send(runs(first.run(), forged.run([{ ...batch!, signature }]), last.run()))
  const tips = []
  for (const { record } of sessions) tips.push(await author.tipOf(record.session))
  tester.verdicts.must(
    'R-BATCH-5',
    tips[1] === undefined,
    'a batch with a forged signature is delivered',
  )
  tester.verdicts.must(
    'R-RUN-10',
    tips[0] !== undefined && tips[2] !== undefined,
    'runs are not delivered because of another one in their message',
  )
}

/** Sessions that are asked for at once come in the order of their times. */
async function inOrder(tester: Tester, author: Probe, reader: Probe): Promise<void> {
  const now = tester.clock.now()
  const sessions = [3, 0, 4, 1, 2].map((place) => ({ place, session: begin(tester, author) }))
  for (const { place, session } of sessions) {
    await session.write({ sections: [note(200)], time: { ms: now - 10_000 + place, counter: 0 } })
  }
  await author.send(runs(...sessions.map(({ session }) => session.run())))
  await author.tipOf(sessions[0]!.session.record.session)
  const placeOf = new Map(sessions.map(({ place, session }) => [session.record.session, place]))
  const since = reader.heard.length
  await reader.want(
    ...sessions.map(({ session }) => ({ session: session.record.session, from: 1, to: 1 })),
  )
  const came: number[] = []
  await reader.wait(
    (message) => {
      if (message.kind === 'runs')
        came.push(...message.runs.flatMap(({ session }) => placeOf.get(session) ?? []))
      return came.length >= sessions.length ? true : undefined
    },
    undefined,
    since,
  )
  tester.verdicts.must(
    'R-WANT-1',
    came.length === sessions.length,
    reader.missing('one of several sessions'),
  )
  tester.verdicts.must(
    'R-RUN-11',
    came.join() === '0,1,2,3,4',
    `sessions came in the order ${came.join()} of their times`,
  )
}

/** More than the first window of a stream, and more than a peer reads at once for a run. */
const LONG_BYTES = 300_000

/** A run in one long frame, whose first batch has a forged signature, is delivered; the first batch never ends a run. */
async function forgedInside(tester: Tester, author: Probe, reader: Probe): Promise<void> {
  const { verdicts, ledger } = tester
  const session = begin(tester, author)
  const { session: id } = session.record
  const first = await session.write({})
  const last = await session.write({ sections: [note(LONG_BYTES)] })
  await author.send(runs(session.run([{ ...first, signature: last.signature }, last])))
  const tip = await author.tipOf(id)
  verdicts.must('R-FRAME-5', tip?.seq === 2, `a run of ${LONG_BYTES} bytes is not delivered`)
  ledger.forget(id)
  await reader.want({ session: id, from: 1, to: 2 })
  const run = await reader.wait((message) => findRun(message, id))
  verdicts.must('R-RUN-15', run !== undefined, reader.missing('a run that ends after its batches'))
}

export function findRun(
  message: { kind: string; runs?: readonly Run[] },
  session: string,
): Run | undefined {
  return message.runs?.find((run) => run.session === session)
}
