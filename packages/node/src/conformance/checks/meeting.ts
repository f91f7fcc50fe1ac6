import { isForkedTip, TipTrie, type SessionId, type Tip } from '@peerplane/core'

import { joinWith } from '../device.ts'
import { list, summary } from '../messages.ts'
import { Probe } from '../probe.ts'
import type { Check, Tester } from '../tester.ts'
import { rootOf } from './scene.ts'

/** Read of a large space: the rest is like it. */
const PAGES = 40
const SESSIONS = 64
const COMMITS = 256

/** What a peer says when a link opens, and what it holds. */
export const meeting: Check = {
  name: 'meeting',
  rules: [
    'R-SUMMARY-2',
    'R-SUMMARY-3',
    'R-PEERS-1',
    'R-PEERS-2',
    'R-LIST-2',
    'R-LIST-3',
    'R-TIP-1',
    'R-TIP-3',
    'R-TIP-4',
    'R-WANT-1',
  ],
  run: async (tester) => {
    const probe = await Probe.open(tester, await joinWith(tester.invitation, tester))
    const { verdicts } = tester
    verdicts.must(
      'R-SUMMARY-2',
      (await probe.wait(rootOf)) !== undefined,
      probe.missing('the root summary'),
    )
    const peers = await probe.wait((message) =>
      message.kind === 'peers' ? message.peers : undefined,
    )
    verdicts.must('R-PEERS-2', peers !== undefined, probe.missing('the peers message'))
    verdicts.must('R-PEERS-1', peers!.includes(probe.peer), 'the sender does not list itself')
    const tips = await compareDigests(tester, probe)
    await readSessions(tester, probe, tips)
    await probe.close()
  },
}

/** Lists everything until it is what the summary of everything says: others may write meanwhile. */
async function compareDigests({ verdicts }: Tester, probe: Probe): Promise<Tip[]> {
  for (let rest = 3; ; rest--) {
    const tips = await listAll(probe, verdicts)
    const root = await probe.ask(summary([], true), rootOf)
    verdicts.must(
      'R-SUMMARY-3',
      root !== undefined,
      probe.missing('the summary that was asked for'),
    )
    if (tips === undefined) return []
    const trie = new TipTrie()
    for (const tip of tips) trie.set(tip)
    const own = trie.summary()
    if (own.digest !== root!.digest && rest > 0) continue
    verdicts.must(
      'R-TIP-3',
      own.digest === root!.digest,
      `the digest of ${own.sessions} tips is ${own.digest}, and the peer says ${root!.digest}`,
    )
    const counts = `${own.sessions} sessions with ${own.commits} commits, and the peer says ${root!.sessions} with ${root!.commits}`
    verdicts.must(
      'R-TIP-4',
      own.commits === root!.commits && own.sessions === root!.sessions,
      counts,
    )
    return tips
  }
}

/** All tips; `undefined` of a space that is too large to be read here. */
async function listAll(probe: Probe, verdicts: Tester['verdicts']): Promise<Tip[] | undefined> {
  const tips: Tip[] = []
  for (let after = 0, pages = 0; pages < PAGES; pages++) {
    const from = after
    const page = await probe.ask(list('', from), (message) =>
      message.kind === 'page' && message.path === '' ? message : undefined,
    )
    verdicts.must('R-LIST-1', page !== undefined, probe.missing('the page of a list'))
    tips.push(...page!.tips)
    if (page!.next === 0) return tips
    verdicts.must('R-LIST-2', page!.next > from, 'a list does not go on')
    after = page!.next
  }
  return undefined
}

async function readSessions(
  { verdicts, ledger }: Tester,
  probe: Probe,
  tips: readonly Tip[],
): Promise<void> {
  const some = tips.slice(0, SESSIONS)
  const to = ({ seq }: Tip): number => (isForkedTip({ seq }) ? seq : Math.min(seq, COMMITS))
  if (some.length > 0)
    await probe.want(...some.map((tip) => ({ session: tip.session, from: 1, to: to(tip) })))
  const left = new Set<SessionId>(some.map(({ session }) => session))
  await probe.wait((message) => {
    if (message.kind !== 'runs') return undefined
    for (const { session, from, batches, fork } of message.runs) {
      const wanted = some.find((tip) => tip.session === session)
      if (
        fork ||
        (wanted && ledger.reached(session) >= to(wanted)) ||
        batches.length === 0 ||
        from < 1
      )
        left.delete(session)
    }
    return left.size === 0 ? true : undefined
  })
  verdicts.must(
    'R-WANT-1',
    left.size === 0,
    probe.missing(`what was asked for of ${left.size} sessions`),
  )
  for (const tip of some) {
    const mark = ledger.markAt(tip.session, tip.seq)
    if (mark !== undefined)
      verdicts.must(
        'R-TIP-1',
        mark === tip.mark,
        `the mark of a tip is ${tip.mark}, and the batch there has ${mark}`,
      )
  }
  const places = new Map(tips.map(({ session }, place) => [session, place]))
  for (const [session, place] of places) {
    for (const parent of ledger.openingOf(session)?.opening.parents ?? []) {
      const earlier = (places.get(parent.session) ?? -1) < place
      verdicts.must('R-LIST-3', earlier, 'a session comes before its parent')
    }
  }
}
