import {
  tipAfter,
  WrittenSession,
  type Signer,
  type WrittenOpening,
  type WritingTools,
  type WrittenCommit,
  depsDigest,
  encodeBatch,
  encodeForkProof,
  toHex,
  type Batch,
  type BatchId,
  type Branch,
  type Run,
  type Tip,
} from '@peerplane/core'

import { campaignKeys } from '../campaign/workload.ts'
import { SimRandom } from '../world/random.ts'
import { idle, oddSection, traceSection, wildSection } from './bodies.ts'
import type { Harm, HarmKind } from './harm-kinds.ts'
import type { HostileMember, Offered } from './member.ts'
import { announcementOf, haveFrame, listFrame, runsFrame, summaryFrame } from './messages.ts'

type Act = (member: HostileMember, random: SimRandom) => Promise<void>

/** Lets a member do harm, if anybody hears it; says whether somebody does. */
export function act(member: HostileMember, { kind, roll }: Harm): boolean {
  if (!member.isLinked) return false
  void acts[kind](member, new SimRandom(`harm ${roll}`))
  return true
}

const acts: Readonly<Record<HarmKind, Act>> = { forge, fork, lie, jam, sessions, bodies }

const FAR = 2 ** 40

/** How often a jam fills the waiting room, and how often there are hundreds of sessions: both take as long as a whole run. */
const MASS_JAM = 0.03
const MANY_SESSIONS = 0.1

const tools = ({ now }: HostileMember, random: SimRandom): WritingTools => ({ random, now })

const wild = (random: SimRandom): WrittenCommit => ({
  sections: [random.chance(0.8) ? wildSection(random) : oddSection(random)],
})

/** A session of batches with these commits. */
async function write(
  member: HostileMember,
  random: SimRandom,
  batches: readonly (readonly WrittenCommit[])[],
  beginning: WrittenOpening = {},
): Promise<Offered> {
  const author = random.pick(member.authors)
  const session = new WrittenSession(author, tools(member, random), beginning)
  const version: Batch[] = []
  for (const each of batches) {
    version.push(await session.batch(version.at(-1), each, tools(member, random)))
  }
  return { session, versions: [version], isSplit: false }
}

/** What nobody has signed, with effects that would show. */
async function forge(member: HostileMember, random: SimRandom): Promise<void> {
  const links = member.links(random)
  member.inquire(links)
  const run = await random.pick(forgeries)(member, random)
  if (run) member.send(links, runsFrame([run]))
}

const forgedTrace = (random: SimRandom): WrittenCommit => ({
  sections: [traceSection(random.pick(campaignKeys), 'forged')],
})

const forgeries: readonly ((
  member: HostileMember,
  random: SimRandom,
) => Promise<Run | undefined>)[] = [
  async function anotherSignature(member, random) {
    const { session, versions } = await write(member, random, [[forgedTrace(random)]])
    const { signature } = versions[0]![0]!
    const batch = await session.batch(undefined, [forgedTrace(random)], tools(member, random))
    return session.run([{ ...batch, signature }])
  },
  async function badEnd(member, random) {
    const trace = [forgedTrace(random)]
    const { session, versions } = await write(member, random, [trace, trace])
    const [first, last] = versions[0]! as readonly [Batch, Batch]
    return session.run([first, { ...last, signature: random.bytes(64) }])
  },
  async function inAnotherName(member, random) {
    const victim = [...member.begun.values()].at(-1 - random.below(4))
    if (!victim) return undefined
    const { device, admission, evidence } = victim
    const [author] = member.authors as readonly [Signer]
    const session = new WrittenSession(author, tools(member, random), { device, admission })
    const batch = await session.batch(undefined, [forgedTrace(random)], tools(member, random))
    return { ...session.run([batch]), opening: { ...evidence, bytes: session.record.bytes } }
  },
  async function continued(member, random) {
    const victim = [...member.tips.values()].at(-1 - random.below(4))
    if (!victim) return undefined
    const { versions } = await write(member, random, [[forgedTrace(random)]])
    const { session, seq } = victim
    const batches = versions[0]!.map(encodeBatch)
    return { session, from: seq + 1, opening: undefined, batches }
  },
  async function accused(member, random) {
    const victim = [...member.begun.values()].at(-1 - random.below(4))
    if (!victim) return undefined
    const { session, next: seq, batch: previous } = victim
    const branch = (): Branch => ({
      links: [{ count: 1, root: random.bytes(32) }],
      signature: random.bytes(64),
    })
    const fork = encodeForkProof({ session, seq, previous, branches: [branch(), branch()] })
    return { session, from: seq, opening: undefined, batches: [], fork }
  },
]

/** Two versions of a session, from its opening on or later. */
async function fork(member: HostileMember, random: SimRandom): Promise<void> {
  const links = member.links(random)
  const some = (most: number): WrittenCommit[][] =>
    Array.from({ length: random.below(most + 1) }, () => [wild(random)])
  const { session, versions: begun } = await write(member, random, some(2))
  const [common = []] = begun
  const versions: Batch[][] = []
  for (let index = 0; index < 2; index++) {
    const version = [...common]
    for (const each of [[wild(random)], ...some(2)]) {
      version.push(await session.batch(version.at(-1), each, tools(member, random)))
    }
    versions.push(version)
  }
  if (common.length > 0 && random.chance(0.3)) {
    // The third one parts earlier.
    const at = random.below(common.length)
    const other = common.slice(0, at)
    other.push(await session.batch(other.at(-1), [wild(random)], tools(member, random)))
    versions.push(other)
  }
  const offered = { session, versions, isSplit: random.chance(0.5) }
  member.offer(offered)
  if (common.length > 0) member.push(links, [{ ...offered, versions: [common] }])
  const show = (): void => {
    const now = member.links(random)
    member.push(now, [offered])
    for (const link of now) member.send([link], haveFrame([member.tipFor(link, offered)]))
  }
  if (random.chance(0.5)) show()
  // Others have built on it by then.
  else member.later(random.exponential(2000), () => show())
  if (random.chance(0.5)) member.later(random.exponential(4000), () => show())
}

/** Claims of what does not exist. */
async function lie(member: HostileMember, random: SimRandom): Promise<void> {
  const links = member.links(random)
  const honest = random.shuffle([...member.tips.values()]).slice(0, 8)
  const mark = toHex(random.bytes(16))
  member.isLying = random.chance(0.5)
  switch (random.below(5)) {
    case 0:
      return member.send(links, haveFrame(member.lies(10 + random.below(200))))
    case 1:
      return member.send(links, haveFrame(honest.map((tip) => ({ ...tip, seq: tip.seq + FAR }))))
    case 2: {
      // Other versions of honest sessions, and their forks.
      const forked = (seq: number): number => Number.MAX_SAFE_INTEGER - seq
      const tips = honest.map((tip): Tip => {
        const seq = random.chance(0.5) ? tip.seq : forked(1 + random.below(tip.seq))
        return { ...tip, seq, mark }
      })
      return member.send(links, haveFrame(tips, ['']))
    }
    case 3: {
      const [sessions, commits] = [random.below(1000), random.below(FAR)]
      member.send(links, summaryFrame(sessions, commits, random.bytes(16)))
      return member.send(links, listFrame(0))
    }
    default:
      member.announce(
        announcementOf(FAR, random.bytes(16), member.lies(random.below(60)), member.secret),
      )
  }
}

/** Commits that have to wait. */
async function jam(member: HostileMember, random: SimRandom): Promise<void> {
  const links = member.links(random)
  const withheld = await write(member, random, [[wild(random)]])
  const [ancestor] = withheld.versions[0]! as readonly [Batch]
  const { session, seq } = tipAfter(ancestor)
  const isMass = random.chance(MASS_JAM)
  const count = isMass ? 12 : 1 + random.below(4)
  const waiting: Offered[] = []
  for (let index = 0; index < count; index++) {
    const commits = Array.from({ length: isMass ? 1000 : 1 }, () => ({ ...wild(random) }))
    if (isMass) for (const commit of commits) commit.sections = []
    const first = commits[0]!
    const way = random.below(3)
    if (way === 0) {
      const parents = [tipAfter(ancestor)]
      waiting.push(await write(member, random, [commits], { parents }))
      continue
    }
    // It names the commit that is kept back, or another version of it.
    const id = way === 1 ? ancestor.id : (toHex(random.bytes(32)) as BatchId)
    const depending = { ...first, deps: [{ session, seq }], digest: depsDigest([id]) }
    waiting.push(await write(member, random, [[depending, ...commits.slice(1)]]))
  }
  for (const each of waiting) member.offer(each)
  member.push(links, waiting)
  if (random.chance(0.5)) return
  member.later(random.exponential(3000), () => {
    member.offer(withheld)
    member.push(member.links(random), [withheld])
  })
}

/** The sessions of a device that restarted often, in a random order. */
async function sessions(member: HostileMember, random: SimRandom): Promise<void> {
  const links = member.links(random)
  const count = random.chance(MANY_SESSIONS) ? 100 + random.below(200) : 5 + random.below(30)
  const chained = random.pick([0, 0.5, 0.9, 1])
  const author = member.authors[1]!
  const all: Offered[] = []
  let last: Tip | undefined
  for (let index = 0; index < count; index++) {
    const parents = last && random.chance(chained) ? [last] : []
    const session = new WrittenSession(author, tools(member, random), { parents })
    const batch = await session.batch(undefined, [wild(random)], tools(member, random))
    all.push({ session, versions: [[batch]], isSplit: false })
    last = tipAfter(batch)
  }
  for (const each of all) member.offer(each)
  const ordered = random.pick([
    () => all,
    () => all.toReversed(),
    () => random.shuffle(all),
    // The first ones only when they are asked for.
    () => all.slice(count >> 1),
  ])()
  if (random.chance(0.7)) member.push(links, ordered)
  else member.send(links, haveFrame(ordered.map(({ versions }) => tipAfter(versions[0]![0]!))))
}

/** Commits that must have no effect. */
async function bodies(member: HostileMember, random: SimRandom): Promise<void> {
  const links = member.links(random)
  const tips = [...member.tips.values()]
  const commits = Array.from({ length: 1 + random.below(4) }, (): WrittenCommit => {
    const entity = random.pick(campaignKeys)
    const make = idle[random.pick(Object.keys(idle))]!
    const time = { ms: random.chance(0.3) ? 2 ** 50 : member.now, counter: 0 }
    return { sections: make(entity, random, tips), time }
  })
  // Nothing of a commit, or of a session, counts whose meaning is not known.
  const trace = { sections: [traceSection(random.pick(campaignKeys), 'unknown')] }
  if (random.chance(0.2)) commits.push({ ...trace, extensions: [[4, 'x']] })
  const written = await write(
    member,
    random,
    commits.map((each) => [each]),
  )
  const opaque = await write(member, random, [[trace]], { extensions: [[2, 'x']] })
  const all = random.chance(0.2) ? [opaque, written] : [written]
  for (const each of all) member.offer(each)
  member.push(links, all)
}
