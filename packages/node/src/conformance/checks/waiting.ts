import { depsDigest, toHex } from '@peerplane/core'

import { list, runs } from '../messages.ts'
import type { HandmadeSession } from '../session.ts'
import type { Check, Tester } from '../tester.ts'
import { arrive, begin } from './scene.ts'
import { pushed } from './writing.ts'
import type { Probe } from '../probe.ts'

/** Commits whose causes are missing wait, and the causes are asked for. */
export const waiting: Check = {
  name: 'waiting',
  rules: ['R-RUN-3', 'R-RUN-4', 'R-WANT-3', 'R-COMMIT-5', 'R-OPENING-3', 'R-LIST-3'],
  run: async (tester) => {
    const probe = await arrive(tester)
    await missingDep(tester, probe)
    await otherDep(tester, probe)
    await missingParent(tester, probe)
    await unsignedBeforeWaiting(tester, probe)
    await probe.close()
  },
}

async function missingDep(tester: Tester, probe: Probe): Promise<void> {
  const { verdicts } = tester
  const cause = begin(tester, probe)
  const last = await cause.write({})
  const effect = begin(tester, probe)
  const { session, seq } = cause.tip
  await effect.write({ deps: [{ session, seq }], digest: depsDigest([last.id]) })
  const since = probe.heard.length
  await probe.send(runs(effect.run()))
  const tip = await probe.tipOf(effect.record.session)
  verdicts.must(
    'R-RUN-3',
    tip === undefined,
    'a commit is delivered without the one that it depends on',
  )
  const asked = await probe.wait(
    (message) =>
      message.kind === 'want'
        ? message.ranges.find((range) => range.session === session)
        : undefined,
    undefined,
    since,
  )
  verdicts.must(
    'R-WANT-3',
    asked !== undefined,
    probe.missing('a request for what a commit depends on'),
  )
  await probe.want({ session: effect.record.session, from: 1, to: 1 })
  await pushed(tester, probe, cause, 'R-WANT-3')
  const after = await probe.tipOf(effect.record.session)
  verdicts.must(
    'R-WANT-3',
    after !== undefined,
    'a commit is not delivered after what it depends on',
  )
}

/** The author had another version of what it depends on. */
async function otherDep(tester: Tester, probe: Probe): Promise<void> {
  const cause = begin(tester, probe)
  const last = await cause.write({})
  const other = await cause.made(undefined, [{}])
  await pushed(tester, probe, cause, 'R-RUN-12')
  const effect = begin(tester, probe)
  const { session, seq } = cause.tip
  await effect.write({ deps: [{ session, seq }], digest: depsDigest([other.id]) })
  await probe.send(runs(effect.run()))
  const tip = await probe.tipOf(effect.record.session)
  tester.verdicts.must(
    'R-COMMIT-5',
    tip === undefined,
    'a commit is delivered whose digest is not that of what it depends on',
  )
  const right = begin(tester, probe)
  await right.write({ deps: [{ session, seq }], digest: depsDigest([last.id]) })
  await pushed(tester, probe, right, 'R-COMMIT-5')
}

async function missingParent(tester: Tester, probe: Probe): Promise<void> {
  const path = toHex(tester.random.bytes(2)).slice(0, 3)
  const parent = begin(tester, probe, { path })
  await parent.write({})
  const child = begin(tester, probe, { parents: [parent.tip], path })
  await child.write({})
  await probe.send(runs(child.run()))
  const tip = await probe.tipOf(child.record.session)
  tester.verdicts.must('R-OPENING-3', tip === undefined, 'a session is delivered before its parent')
  await pushed(tester, probe, parent, 'R-RUN-12')
  const listed = await probe.ask(list(path, 0), (message) =>
    message.kind === 'page' && message.path === path ? message.tips : undefined,
  )
  const placeOf = ({ record }: HandmadeSession): number =>
    listed?.findIndex((each) => each.session === record.session) ?? -1
  tester.verdicts.must(
    'R-OPENING-3',
    placeOf(child) >= 0,
    'a session is not delivered after its parent',
  )
  tester.verdicts.must(
    'R-LIST-3',
    placeOf(parent) >= 0 && placeOf(parent) < placeOf(child),
    'a session is listed before its parent',
  )
}

/** What may have to wait is served in two pieces, so the batch before it needs its signature. */
async function unsignedBeforeWaiting(tester: Tester, probe: Probe): Promise<void> {
  const cause = begin(tester, probe)
  const last = await cause.write({})
  const session = begin(tester, probe)
  const first = await session.write({})
  const { session: on, seq } = cause.tip
  const second = await session.write({
    deps: [{ session: on, seq }],
    digest: depsDigest([last.id]),
  })
  await probe.send(runs(session.run([{ ...first, signature: undefined }, second])))
  const tip = await probe.tipOf(session.record.session)
  tester.verdicts.must(
    'R-RUN-4',
    tip === undefined,
    'a batch without a signature is delivered, and the signed one after it waits',
  )
}
