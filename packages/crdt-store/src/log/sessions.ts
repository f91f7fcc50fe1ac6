import { forkedTip, markOf, TipTrie } from '@peerplane/core'
import type {
  Batch,
  BatchId,
  DeviceId,
  Dot,
  ForkProof,
  Frontier,
  SessionId,
  Tip,
  Write,
} from '@peerplane/core'

import { reachKey } from '../storage/keys.ts'
import { encodeReach, type Reach, type StoredTip } from '../storage/records.ts'

/** A session whose opening is stored. */
export interface HeldSession {
  readonly id: SessionId
  readonly device: DeviceId
  readonly parents: readonly Tip[]
  readonly start: number | undefined
  /** Whether its commits may have an effect here; see {@link isUnderstood}. */
  readonly isUnderstood: boolean
  /** What its first batch names as the batch before it. */
  readonly first: BatchId
  stored: StoredTip
  reach: Reach
  /** Its device signed two versions of it; of neither is anything held from there on. */
  fork: ForkProof | undefined
}

/** The tip of a session of which nothing but the opening is stored. */
export const emptyTip = (first: BatchId): StoredTip => ({ seq: 0, batch: first })

const nothing = (first: BatchId): Reach => ({
  ...emptyTip(first),
  covered: 0,
  time: { ms: 0, counter: 0 },
})

/** All held sessions: the durable state of the log in memory, without a commit. */
export class Sessions {
  readonly #held = new Map<SessionId, HeldSession>()
  readonly #dirty = new Set<HeldSession>()
  readonly #stored = new Map<SessionId, Tip>()
  readonly #delivered = new TipTrie()
  readonly #forked = new Set<HeldSession>()
  readonly #wroteLast = new Map<DeviceId, number>()
  readonly #latestStart = new Map<DeviceId, number>()
  readonly #deliveredOf = new Map<DeviceId, number>()
  #commits = 0

  get(session: SessionId): HeldSession | undefined {
    return this.#held.get(session)
  }

  values(): Iterable<HeldSession> {
    return this.#held.values()
  }

  /** Begins a session whose opening is stored. */
  add(
    fields: Omit<HeldSession, 'reach' | 'fork'>,
    reach: Reach = nothing(fields.first),
  ): HeldSession {
    const held: HeldSession = { ...fields, reach, fork: undefined }
    this.#held.set(held.id, held)
    const { device, start = 0 } = held
    this.#latestStart.set(device, Math.max(this.latestStart(device), start))
    this.#storedTo(held)
    this.#reach(held, reach)
    return held
  }

  extend(held: HeldSession, stored: StoredTip): void {
    held.stored = stored
    this.#storedTo(held)
  }

  /** The session is stored only up to the end of `stored`. */
  cutBack(held: HeldSession, stored: StoredTip): void {
    held.fork = undefined
    this.#forked.delete(held)
    this.extend(held, stored)
    this.#reach(held, held.reach)
  }

  /** Takes note of a fork, of which the proof is stored; `stored` is the end of what is before it. */
  fork(held: HeldSession, proof: ForkProof, stored: StoredTip): void {
    held.fork = proof
    this.#forked.add(held)
    this.extend(held, stored)
    this.#reach(held, reachUpTo(held.reach, stored))
  }

  /** Takes note that `batch` is delivered: its session reaches to its end, and covers what its commits depend on. */
  deliver(batch: Batch): void {
    const held = this.#held.get(batch.session)!
    const { seq, time } = batch.commits.at(-1)!.header
    this.#reach(held, { ...held.reach, seq, batch: batch.id, time })
    this.#dirty.add(held)
    for (const commit of batch.commits) {
      for (const dep of commit.header.deps) this.#cover(dep)
    }
  }

  /** Takes note that a batch was delivered that came from elsewhere, or from an earlier opening of the store. */
  came({ session }: Batch): void {
    const { device } = this.#held.get(session)!
    this.#deliveredOf.set(device, this.deliveredOf(device) + 1)
  }

  /** How many batches of a device {@link came} since the log was opened. */
  deliveredOf(device: DeviceId): number {
    return this.#deliveredOf.get(device) ?? 0
  }

  /** How far a session is delivered; 0 when it is unknown. What comes after a fork has no effect, so nobody has to wait for it. */
  reached(session: SessionId): number {
    const held = this.#held.get(session)
    if (!held) return 0
    return held.fork && held.reach.seq === held.fork.seq - 1 ? Infinity : held.reach.seq
  }

  /** Whether a commit comes after a fork: there is more than one at its place. */
  isVoid({ session, seq }: Dot): boolean {
    const fork = this.#held.get(session)?.fork
    return fork !== undefined && seq >= fork.seq
  }

  /** Writes that bring the stored reaches up to date; pass them to {@link unwritten} if they could not be written. */
  takeDirty(): { readonly writes: readonly Write[]; readonly sessions: readonly HeldSession[] } {
    const sessions = [...this.#dirty]
    this.#dirty.clear()
    return { writes: sessions.map(reachWrite), sessions }
  }

  unwritten(sessions: readonly HeldSession[]): void {
    for (const held of sessions) this.#dirty.add(held)
  }

  /** The reach of a session was written with something else. */
  written(held: HeldSession): void {
    this.#dirty.delete(held)
  }

  /** Durable, delivered or not; it changes with the sessions. */
  get stored(): Frontier {
    return this.#stored
  }

  /** Delivered and durable; it changes with the sessions. */
  get delivered(): TipTrie {
    return this.#delivered
  }

  /** How many commits are delivered and durable. */
  get commits(): number {
    return this.#commits
  }

  /** Sessions of which a fork is known. */
  get forked(): Iterable<HeldSession> {
    return this.#forked
  }

  /** The time of the last delivered commit of each device, by its own clock. */
  wroteLast(): Map<DeviceId, number> {
    return new Map(this.#wroteLast)
  }

  /** The latest start of the sessions of a device; -1 if there are none. */
  latestStart(device: DeviceId): number {
    return this.#latestStart.get(device) ?? -1
  }

  /** Delivered and durable, by the commits alone: without the tips of forks. */
  reaches(): Frontier {
    return new Map(
      [...this.#held.values()].flatMap(({ id, reach: { seq, batch } }) =>
        seq > 0 ? [[id, { session: id, seq, mark: markOf(batch) }]] : [],
      ),
    )
  }

  /** The delivered tips of the sessions of `device` that no later session of it names exactly. */
  tipsOf(device: DeviceId): Tip[] {
    const own = [...this.#held.values()].filter((held) => held.device === device)
    const continued = new Set(own.flatMap(({ parents }) => parents.map(placeOf)))
    return own
      .flatMap(({ id }) => this.#delivered.all.get(id) ?? [])
      .filter((tip) => !continued.has(placeOf(tip)))
  }

  #storedTo(held: HeldSession): void {
    const tip = tipOf(held, held.stored)
    if (tip) this.#stored.set(held.id, tip)
    else this.#stored.delete(held.id)
  }

  #reach(held: HeldSession, reach: Reach): void {
    this.#commits += reach.seq - (this.#delivered.all.has(held.id) ? held.reach.seq : 0)
    held.reach = reach
    const tip = tipOf(held, reach)
    if (tip) this.#delivered.set(tip)
    else this.#delivered.delete(held.id)
    const { device } = held
    if (reach.seq === 0) return
    this.#wroteLast.set(device, Math.max(this.#wroteLast.get(device) ?? 0, reach.time.ms))
  }

  #cover({ session, seq }: Dot): void {
    const held = this.#held.get(session)
    if (!held || held.reach.covered >= seq) return
    held.reach = { ...held.reach, covered: seq }
    this.#dirty.add(held)
  }
}

const placeOf = ({ session, seq, mark }: Tip): string => `${session} ${seq} ${mark}`

/** A reach that goes no further than `stored`. */
export const reachUpTo = (reach: Reach, tip: StoredTip): Reach =>
  reach.seq <= tip.seq ? reach : { ...reach, ...tip }

/** The write of a session's reach. */
const reachWrite = (held: HeldSession): Write => ({
  key: reachKey(held.id),
  value: encodeReach(held.reach),
})

/** How far a session is held, if at all. */
function tipOf({ id: session, fork }: HeldSession, { seq, batch }: StoredTip): Tip | undefined {
  if (fork && seq === fork.seq - 1) return forkedTip(fork)
  return seq > 0 ? { session, seq, mark: markOf(batch) } : undefined
}
