import { toHex } from '@peerplane/core'

import { have, list, runs } from '../messages.ts'
import type { Check } from '../tester.ts'
import { arrive, begin } from './scene.ts'

const SESSIONS = 16
/** Paths in one message; each is answered with all these sessions. */
const PATHS = 64
/** Answers of 39 kB: more than 1 MiB together. */
const QUESTIONS = 40
const HELD_MS = 700
/** Frames that are ignored, more than 1 MiB together. */
const FRAMES = 16
const FRAME_BYTES = 100_000

/** Neither side sends more than the other one takes. */
export const flow: Check = {
  name: 'flow',
  rules: ['R-MESSAGE-5'],
  run: async (tester) => {
    const { verdicts, scheduler } = tester
    const probe = await arrive(tester)
    const path = toHex(tester.random.bytes(2))
    const sessions = Array.from({ length: SESSIONS }, () =>
      begin(tester, probe, { path: path.slice(0, 2) }),
    )
    for (const session of sessions) await session.write({})
    await probe.send(runs(...sessions.map((session) => session.run())))
    await probe.tipOf(sessions[0]!.record.session)
    const since = probe.heard.length
    const release = probe.hold()
    for (let i = 0; i < QUESTIONS; i++)
      await probe.send(
        have(
          [],
          Array.from({ length: PATHS }, () => path.slice(0, 2)),
        ),
      )
    await new Promise<void>((resolve) => void scheduler.after(HELD_MS, resolve))
    verdicts.must(
      'R-MESSAGE-5',
      probe.isOpen,
      `more than 1 MiB is in flight: ${probe.missing('what was asked for')}`,
    )
    release()
    let tips = 0
    await probe.wait(
      (message) => {
        if (message.kind === 'have') tips += message.tips.length
        return tips >= QUESTIONS * PATHS * SESSIONS ? true : undefined
      },
      undefined,
      since,
    )
    verdicts.must(
      'R-MESSAGE-5',
      tips >= QUESTIONS * PATHS * SESSIONS,
      probe.missing('all that was asked for'),
    )
    const sent = Promise.all(
      Array.from({ length: FRAMES }, () => probe.send([98, new Uint8Array(FRAME_BYTES)])),
    )
    const page = await probe.ask(list('', 0), (message) =>
      message.kind === 'page' ? true : undefined,
    )
    verdicts.must(
      'R-MESSAGE-5',
      page === true,
      probe.missing('an answer after 1.6 MB that are ignored'),
    )
    await sent
    await probe.close()
  },
}
