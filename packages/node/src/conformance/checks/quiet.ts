import {
  bytesField,
  decodeCanonical,
  encodeCanonical,
  equalBytes,
  arrayField,
  listField,
  mac,
  readTip,
  reasonOf,
  wholeField,
  type Value,
} from '@peerplane/core'

import { summary } from '../messages.ts'
import type { Check, Tester } from '../tester.ts'
import { arrive, rootOf } from './scene.ts'

/** Between two summaries of everything or two announcements at the longest, and what a busy machine may add. */
const SUMMARY_MS = 12_500
const BUSY_MS = 2_500
/** Tips of an announcement. */
const TIPS = 64

/** What a peer says when nobody asks. */
export const quiet: Check = {
  name: 'quiet',
  rules: ['R-SUMMARY-2', 'R-SUMMARY-3', 'R-GOSSIP-1', 'R-GOSSIP-3'],
  run: async (tester) => {
    const { verdicts } = tester
    const probe = await arrive(tester)
    const first = await probe.wait(rootOf)
    verdicts.must('R-SUMMARY-2', first !== undefined, probe.missing('the root summary'))
    await answersOnce(tester, probe)
    const since = probe.heard.length
    const next = await probe.wait(rootOf, SUMMARY_MS + BUSY_MS, since)
    verdicts.must('R-SUMMARY-2', next !== undefined, `no root summary came within ${SUMMARY_MS} ms`)
    const announced = await probe.announces(SUMMARY_MS + BUSY_MS)
    verdicts.must('R-GOSSIP-3', announced, 'nothing was announced by gossip')
    for (const payload of probe.announced) readAnnouncement(tester, payload)
    await probe.close()
  },
}

/** Questions in a row. Others may write, which makes the peer send summaries, too: many, but not as many as questions. */
const QUESTIONS = 40

async function answersOnce(
  { verdicts }: Tester,
  probe: Awaited<ReturnType<typeof arrive>>,
): Promise<void> {
  const since = probe.heard.length
  for (let i = 1; i < QUESTIONS; i++) await probe.send(summary([], true))
  const answer = await probe.ask(summary([], true), rootOf)
  verdicts.must(
    'R-SUMMARY-3',
    answer !== undefined,
    probe.missing('the summary that was asked for'),
  )
  await probe.tipOf('0'.repeat(32) as Parameters<typeof probe.tipOf>[0])
  const count = probe.heard.slice(since).filter(({ message }) => rootOf(message)).length
  verdicts.must(
    'R-SUMMARY-3',
    count < QUESTIONS / 2,
    `${QUESTIONS} questions at once were answered ${count} times`,
  )
}

function readAnnouncement({ verdicts, invitation }: Tester, payload: Uint8Array): void {
  try {
    const [content, proof] = arrayField(decodeCanonical(payload), 'the announcement', 2)
    const expected = mac(invitation.space.secret, 'announcement', encodeCanonical(content as Value))
    if (!equalBytes(bytesField(proof, 'the mac', 32), expected)) throw new Error('the mac is wrong')
    const fields = arrayField(content, 'the content', 3)
    wholeField(fields[0], 'commits')
    bytesField(fields[1], 'the digest', 16)
    listField(fields[2], 'the tips', TIPS, readTip)
    verdicts.kept('R-GOSSIP-1')
  } catch (error) {
    verdicts.broke('R-GOSSIP-1', reasonOf(error))
  }
}
