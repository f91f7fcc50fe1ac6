import { TipTrie, toHex, type Summary, type Tip } from '@peerplane/core'

import type { Heard } from '../heard.ts'
import { have, list, runs, summary } from '../messages.ts'
import type { Probe } from '../probe.ts'
import type { Check, Tester } from '../tester.ts'
import { arrive, begin } from './scene.ts'

/** More than a node has that is not divided. */
const MANY = 20

/** Peers find what one of them lacks by comparing summaries. */
export const comparing: Check = {
  name: 'comparing',
  rules: ['R-SUMMARY-4', 'R-HAVE-2', 'R-LIST-1', 'R-LIST-2', 'R-TIP-3', 'R-TIP-4', 'R-RUN-10'],
  run: async (tester) => {
    const probe = await arrive(tester)
    // Not those of another run, as far as possible.
    const path = toHex(tester.random.bytes(2)).slice(0, 3)
    // Two devices begin them: a peer may limit how many sessions a device sends at once.
    const second = await arrive(tester)
    const sessions = await pushMany(tester, probe, path)
    sessions.push(...(await pushMany(tester, second, path)))
    // A session that is not below the path.
    const other = begin(tester, probe, { path: path.startsWith('0') ? '1' : '0' })
    await other.write({}, {})
    await probe.send(runs(other.run()))
    const page = await probe.ask(list(path, 0), (message) =>
      message.kind === 'page' && message.path === path ? message : undefined,
    )
    const { verdicts } = tester
    verdicts.must('R-LIST-1', page !== undefined, probe.missing('a page'))
    const missing = sessions.filter(({ record }) =>
      page!.tips.every(({ session }) => session !== record.session),
    )
    verdicts.must(
      'R-RUN-10',
      missing.length === 0,
      `of ${MANY} sessions in two messages, ${missing.length} are not delivered`,
    )
    verdicts.must(
      'R-LIST-1',
      page!.tips.every(({ session }) => session.startsWith(path)),
      `a list of the path ${path} has another session`,
    )
    const one = sessions[0]!.record.session
    await few(tester, probe, one)
    await many(tester, probe, path, page!.tips)
    await tipsBelow(tester, probe, path)
    await second.close()
    await probe.close()
  },
}

/** Sends half of the sessions in one message. */
async function pushMany(tester: Tester, probe: Probe, path: string) {
  const sessions = Array.from({ length: MANY / 2 }, () => begin(tester, probe, { path }))
  for (const session of sessions) await session.write({}, {})
  await probe.send(runs(...sessions.map((session) => session.run())))
  await probe.tipOf(sessions.at(-1)!.record.session)
  return sessions
}

/** A digest that nobody has. */
const node = (tester: Tester, path: string, sessions: number): Summary => ({
  path,
  sessions,
  commits: sessions,
  digest: toHex(tester.random.bytes(16)),
})

/** The peer has at most 16 sessions below the path. */
async function few(tester: Tester, probe: Probe, path: string): Promise<void> {
  const { verdicts } = tester
  const both = await probe.ask(summary([node(tester, path, 1)]), tipsAndAsks(path))
  verdicts.must(
    'R-SUMMARY-4',
    both?.tips === 1 && both.asks,
    'both have few sessions: the answer is not a have with the tip and the path',
  )
  const since = probe.heard.length
  const told = await probe.ask(summary([node(tester, path, 100)]), tipsAndAsks(path))
  const listed = await probe.wait(
    (message) => (message.kind === 'list' && message.path === path ? true : undefined),
    undefined,
    since,
  )
  verdicts.must(
    'R-SUMMARY-4',
    told?.tips === 1 && listed === true,
    'only the sender of a summary has many sessions: the answer is not a have with the tip, and a list',
  )
}

/** The peer has more. */
async function many(
  tester: Tester,
  probe: Probe,
  path: string,
  tips: readonly Tip[],
): Promise<void> {
  const { verdicts } = tester
  const since = probe.heard.length
  const asked = await probe.ask(summary([node(tester, path, 1)]), tipsAndAsks(path))
  const own = await probe.wait((message) => nodesOf(message, path, 0), undefined, since)
  verdicts.must(
    'R-SUMMARY-4',
    asked?.asks === true && asked.tips === 0 && own !== undefined,
    'only the receiver of a summary has many sessions: the answer is not a have that asks for the path, and its summary',
  )
  compareNode(tester, own![0]!, tips)
  const children = await probe.ask(summary([node(tester, path, MANY)]), (message) =>
    nodesOf(message, path, 1),
  )
  verdicts.must(
    'R-SUMMARY-4',
    children?.length === 16,
    'both have many sessions: the answer is not the 16 summaries below',
  )
  // What is equal is not answered.
  const before = probe.heard.length
  await probe.send(summary(children!))
  await probe.tipOf(probe.device.id.slice(0, 32) as Parameters<Probe['tipOf']>[0])
  const answered = probe.heard
    .slice(before)
    .some(
      ({ message }) =>
        nodesOf(message, path, 1) ?? nodesOf(message, path, 2) ?? tipsAndAsks(`${path}0`)(message),
    )
  verdicts.must('R-SUMMARY-4', !answered, 'summaries that are equal are answered')
}

/** The summary of a node is that of the tips below it. */
function compareNode({ verdicts }: Tester, told: Summary, tips: readonly Tip[]): void {
  const trie = new TipTrie()
  for (const tip of tips) trie.set(tip)
  const own = trie.summary(told.path)
  verdicts.must(
    'R-TIP-3',
    own.digest === told.digest,
    `the digest of ${own.sessions} tips is ${own.digest}, and the peer says ${told.digest}`,
  )
  verdicts.must(
    'R-TIP-4',
    own.sessions === told.sessions && own.commits === told.commits,
    `a path has ${own.sessions} sessions with ${own.commits} commits, and the peer says ${told.sessions} with ${told.commits}`,
  )
}

async function tipsBelow({ verdicts }: Tester, probe: Probe, path: string): Promise<void> {
  const tips = await probe.ask(have([], [path]), (message) =>
    message.kind === 'have' &&
    message.tips.length > 0 &&
    message.tips.every(({ session }) => session.startsWith(path))
      ? message.tips
      : undefined,
  )
  verdicts.must('R-HAVE-2', tips !== undefined, probe.missing('the tips below a path'))
  verdicts.must('R-HAVE-2', tips!.length <= 16, `a path was answered with ${tips!.length} tips`)
}

/** Of a have: how many tips it states below a path, and whether it asks for it. */
const tipsAndAsks =
  (path: string) =>
  (message: Heard): { readonly tips: number; readonly asks: boolean } | undefined => {
    if (message.kind !== 'have') return undefined
    const tips = message.tips.filter(({ session }) => session.startsWith(path)).length
    const asks = message.asks.includes(path)
    return tips > 0 || asks ? { tips, asks } : undefined
  }

/** Of a summary: the nodes so many digits below a path. */
function nodesOf(message: Heard, path: string, below: number): readonly Summary[] | undefined {
  if (message.kind !== 'summary') return undefined
  const nodes = message.nodes.filter(
    (each) => each.path.startsWith(path) && each.path.length === path.length + below,
  )
  return nodes.length > 0 ? nodes : undefined
}
