import { decodeForkProof, markOf, type SessionId } from '@peerplane/core'

import { have, runs } from '../messages.ts'
import type { Heard } from '../heard.ts'
import type { Check } from '../tester.ts'
import { arrive, begin } from './scene.ts'
import { findRun, pushed } from './writing.ts'

const MAX = Number.MAX_SAFE_INTEGER

/** A device signs two versions of its session: the peer finds that out, and proves it to others. */
export const forks: Check = {
  name: 'forks',
  rules: ['R-FORK-2', 'R-FORK-3', 'R-FORK-4', 'R-RUN-13', 'R-RUN-8'],
  run: async (tester) => {
    const { verdicts } = tester
    const author = await arrive(tester)
    const reader = await arrive(tester)
    const session = begin(tester, author)
    const first = await session.write({})
    await session.write({})
    await pushed(tester, author, session, 'R-RUN-12')
    const other = await session.made(first, [{}])
    const last = await session.made(other, [{}])
    const { session: id } = session.record
    // What the peer holds up to commit 2 is not what this continues.
    await author.send(have([{ session: id, seq: 3, mark: markOf(last.id) }]))
    const since = author.heard.length
    await author.send(runs(session.run([last])))
    const again = await author.wait((message) => wantOf(message, id, 1), undefined, since)
    verdicts.must(
      'R-RUN-13',
      again !== undefined,
      author.missing('a request for the session from commit 1'),
    )
    await author.send(runs(session.run([first, other, last])))
    const tip = await author.tipOf(id)
    const forked = tip?.seq === MAX - 2 && tip.mark === markOf(first.id)
    verdicts.must(
      'R-FORK-3',
      forked,
      `a session is forked at commit 2, and its tip is ${tip?.seq} ${tip?.mark}`,
    )
    tester.ledger.forget(id)
    await reader.want({ session: id, from: 1, to: MAX - 2 })
    const run = await reader.wait((message) => {
      const found = findRun(message, id)
      return found?.fork ? found : undefined
    })
    verdicts.must('R-RUN-8', run !== undefined, reader.missing('the proof of a fork'))
    const proof = decodeForkProof(run!.fork!, id)
    verdicts.must(
      'R-FORK-2',
      proof.seq === 2 && proof.previous === first.id,
      `the session forks at commit 2, and the proof says ${proof.seq}`,
    )
    await Promise.all([author.close(), reader.close()])
  },
}

const wantOf = (message: Heard, session: SessionId, from: number): true | undefined =>
  message.kind === 'want' &&
  message.ranges.some((range) => range.session === session && range.from === from)
    ? true
    : undefined
