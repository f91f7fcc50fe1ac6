import type { PlaneStatus } from '@peerplane/node'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { Attackers } from './attack/attackers.ts'
import { attacks } from './attack/attacks.ts'
import { bounds } from './attack/bounds.ts'
import { calm } from './attack/calm.ts'
import { askControl } from './attack/control.ts'
import { askPage } from './attack/doors.ts'
import { startWorld, type World } from './attack/world.ts'

type Counts = Readonly<Record<string, number>>

/**
 * Attacks at once. They last until they have got as far as is said here, however long it takes: no figure depends on how fast a machine is.
 * The figures are not taken from the limits, so that a limit that is changed or not applied is seen.
 */
interface Small {
  readonly by: string
  /** How hard, and what is counted in the end, at least: what it does, and how often the daemon cuts it off. */
  readonly attacks: Readonly<Record<string, { readonly scale: number; readonly counts: Counts }>>
  /** How often the daemon says that it has refused something, by reason, at least. */
  readonly refused: Counts
  /** Why it has cut a device off. */
  readonly banned: readonly string[]
  /** File handles of the daemon for all of them, at most. */
  readonly handles: number
  /** Commits that the daemon takes from all of them within so many seconds, at most. */
  readonly commits: (seconds: number) => number
  /** Sessions of which it takes a second version, at most. */
  readonly forks: number
}

const small: readonly Small[] = [
  {
    by: 'strangers, and programs of the same user',
    attacks: {
      'silent-sockets': { scale: 0.5, counts: { sockets: 600 } },
      'silent-flood': { scale: 1, counts: { sockets: 60 } },
      'slow-sockets': { scale: 0.5, counts: { sockets: 450 } },
      // Fewer than there are seats: what cuts them off is what they send.
      'giant-ws-frames': { scale: 0.25, counts: { cuts: 20 } },
      'giant-tcp-frames': { scale: 0.25, counts: { cuts: 20 } },
      'control-abuse': { scale: 1, counts: { sockets: 64, cuts: 10 } },
    },
    refused: { address: 100, oversized: 20 },
    banned: [],
    // 64 before the door, 100 of the page server, 16 of the control socket, and some that come and go.
    handles: 200,
    commits: () => 50,
    forks: 0,
  },
  {
    by: 'members',
    attacks: {
      'device-flood': { scale: 0.15, counts: { links: 8 } },
      'gossip-flood': { scale: 0.1, counts: { announcements: 8 } },
      'forged-runs': { scale: 0.1, counts: { runs: 16 } },
      'fork-storm': { scale: 0.5, counts: { forks: 3 } },
      'early-names': { scale: 1, counts: { names: 10_000 } },
      'bodies-counter': { scale: 1, counts: { commits: 4 } },
      'bodies-document': { scale: 1, counts: { commits: 4 } },
    },
    refused: { device: 3 },
    banned: ['garbage', 'bad-signature'],
    handles: 50,
    // A device begins a few sessions at once and 2 a second, here of up to three commits.
    commits: (seconds) => 3 * (50 + 2 * seconds) + 100,
    forks: 9,
  },
  {
    by: 'members that begin and claim endless sessions',
    attacks: {
      'session-flood': { scale: 1, counts: { sessions: 500 } },
      'lying-frontiers': { scale: 1, counts: { tips: 30_000 } },
    },
    refused: {},
    banned: [],
    handles: 20,
    commits: (seconds) => 50 + 2 * seconds + 50,
    // Those of the attack before may be taken late.
    forks: 9,
  },
  {
    by: 'members that bring what another one has forked',
    attacks: { 'fork-courier': { scale: 0.5, counts: { forks: 10 } } },
    refused: {},
    banned: [],
    handles: 20,
    // They come from a device that has done nothing wrong.
    commits: () => Number.POSITIVE_INFINITY,
    forks: Number.POSITIVE_INFINITY,
  },
]

let world: World

beforeAll(async () => {
  vi.stubEnv('PEERPLANE_LOG', 'warn')
  world = await startWorld(4)
})
afterAll(() => world?.end())

test.each(small.map((each, index) => ({ ...each, seed: 10 * index })))(
  '$by cost a daemon no more than its bounds, and nobody what they wrote',
  { timeout: 500_000 },
  async ({ attacks: chosen, seed, refused, banned, handles, commits, forks }) => {
    const names = Object.keys(chosen)
    const since = performance.now()
    const before = await look()

    const attackers = await Attackers.start(
      world.target,
      names.map((name) => ({ name, scale: chosen[name]!.scale })),
      seed,
    )
    try {
      await vi.waitFor(async () => {
        const done = await attackers.done()
        for (const name of names) {
          expect(short(name, done[name]!, chosen[name]!.counts)).toEqual([])
        }
        const more = beyond((await status()).network!.refused, before.status.network!.refused)
        expect(short('refused', more, refused)).toEqual([])
        expect(Object.keys(beyond(world.banned(), before.banned))).toEqual(
          expect.arrayContaining([...banned]),
        )
      }, PATIENCE)
    } finally {
      await attackers.stop()
    }

    const after = await look()
    for (const { memory } of Object.values(after.needs)) expect(memory).toBeLessThan(bounds.memory)
    const handlesOf = ({ needs }: Look): number => needs['daemon']!.handles
    expect(handlesOf(after) - handlesOf(before)).toBeLessThanOrEqual(handles)

    await vi.waitFor(() => expect(world.ledger.lastShown).toBeGreaterThan(after.beats), PATIENCE)
    // Beats that were on their way are in favour of the daemon.
    const taken = after.status.commits - world.ledger.last - (before.status.commits - before.shown)
    expect(taken).toBeLessThanOrEqual(commits((performance.now() - since) / 1_000))
    expect(after.status.forks - before.status.forks).toBeLessThanOrEqual(forks)
    await vi.waitFor(async () => expect(await askPage(world.target)).toBe(true), PATIENCE)
    // A new member finds room.
    await vi.waitFor(
      async () => expect(await world.visit()).toBeLessThan(Number.POSITIVE_INFINITY),
      PATIENCE,
    )
    expect(world.losses()).toEqual([])
  },
)

test('each attack has a small version, of those with bodies some', () => {
  const tried = small.flatMap((each) => Object.keys(each.attacks))
  const all = attacks.filter((attack) => attack !== calm).map(({ name }) => name)
  expect(all.filter((name) => !tried.includes(name) && !name.startsWith('bodies-'))).toEqual([])
  expect(tried.filter((name) => !all.includes(name))).toEqual([])
})

const PATIENCE = { timeout: 200_000, interval: 200 }

type Look = Awaited<ReturnType<typeof look>>

/** What the daemon and the honest members need, and how far they have got. */
async function look() {
  const { ledger } = world
  const needs = await world.needs()
  const { lastShown: shown } = ledger
  return { needs, shown, banned: world.banned(), status: await status(), beats: ledger.last }
}

/** As the daemon says; asked again while others hold the seats of its control socket. */
function status(): Promise<PlaneStatus> {
  return vi.waitFor(async () => {
    const answer = await askControl(world.target.control, 'watch', 'watchStatus')
    expect(answer?.kind).toBe('update')
    return answer!.value as PlaneStatus
  }, PATIENCE)
}

/** What has not been counted as often as it has to be. */
const short = (name: string, counted: Counts, least: Counts): string[] =>
  Object.entries(least)
    .filter(([what, times]) => !((counted[what] ?? 0) >= times))
    .map(([what, times]) => `${name}: ${counted[what] ?? 0} of ${times} ${what}`)

const beyond = (now: Counts, before: Counts): Counts =>
  Object.fromEntries(
    Object.entries(now)
      .map(([what, times]) => [what, times - (before[what] ?? 0)] as const)
      .filter(([, times]) => times > 0),
  )
