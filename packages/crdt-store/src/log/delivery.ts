import { compareTimestamps, firstSeq, lastSeq } from '@peerplane/core'
import type {
  Batch,
  Commit,
  Dot,
  HybridClock,
  SessionId,
  Store,
  Timestamp,
  Trace,
} from '@peerplane/core'

import { batchKey, forkKey, tipKey } from '../storage/keys.ts'
import { encodeTip } from '../storage/records.ts'
import { Agreement } from './agreement.ts'
import { CausalOrder, causesOf } from './causal-order.ts'
import type { BatchIds } from './batch-ids.ts'
import type { Heads } from './heads.ts'
import type { Planned } from './planned.ts'
import { readDecoded } from './range.ts'
import type { HeldSession, Sessions } from './sessions.ts'
import { WaitingRoom, type Usage } from './waiting-room.ts'

/** What delivery works with. */
export interface DeliveryOptions {
  readonly store: Store
  readonly sessions: Sessions
  readonly heads: Heads
  readonly ids: BatchIds
  readonly clock: HybridClock
  readonly trace?: Trace | undefined
}

/** Stored batches that wait for what they depend on, and how they are let go. */
export class Delivery {
  readonly #options: DeliveryOptions
  readonly #order: CausalOrder
  readonly #agreement: Agreement
  readonly #room: WaitingRoom
  /** First batches of their sessions that depend on commits that differ from those held here at the same places. */
  readonly #contradicted = new Map<SessionId, Batch>()
  /** Ready batches that could not be compared with what they depend on, because it could not be read. */
  #unreadable: readonly Batch[] = []

  constructor(options: DeliveryOptions) {
    const { sessions, ids } = options
    this.#options = options
    this.#agreement = new Agreement(sessions, ids)
    this.#room = new WaitingRoom((session) => sessions.get(session)!.device)
    this.#order = new CausalOrder(
      (session) => sessions.reached(session),
      (batch) => causesOf(batch, sessions.get(batch.session)!.parents),
    )
  }

  /**
   * Takes in what is stored and not delivered, when the log opens. That may be more than there is room for: a write that the store has reported
   * as failed may have come through.
   */
  async restore(): Promise<void> {
    const { store, sessions } = this.#options
    for (const { id, stored, reach } of sessions.values()) {
      for (let from = reach.seq + 1; from <= stored.seq;) {
        for (const { batch, size } of await readDecoded(store, id, from, stored.seq, 16)) {
          this.add(batch, size)
          from = lastSeq(batch) + 1
        }
      }
    }
    await this.deliver()
    const leavers = this.#room.leaversBeyond()
    if (leavers.length === 0) return
    // Ignored: they are here again, and leave again, when the log is opened the next time.
    await this.#drop(leavers).catch(() => undefined)
  }

  /** Adds the next stored batch of its session; `size` is its length in bytes. */
  add(batch: Batch, size: number): void {
    this.#room.enter(batch, size)
    this.#order.add(batch)
  }

  /** Delivers all that is ready and returns it, in causal order. */
  async deliver(): Promise<Commit[]> {
    const delivered: Commit[] = []
    for (const batch of this.#unreadable) this.#order.retry(batch)
    const unreadable: Batch[] = []
    for (let batch = this.#order.next(); batch; batch = this.#order.next()) {
      // Ignored: it is reported, and tried again with each delivery.
      const agrees = await this.#agreement.of(batch).catch(() => undefined)
      if (agrees === undefined) {
        if (!this.#unreadable.includes(batch)) this.#report('session.unreadable', batch)
        unreadable.push(batch)
      } else if (!agrees) {
        if (!this.#contradicted.has(batch.session)) this.#report('session.contradicted', batch)
        this.#contradicted.set(batch.session, batch)
      } else this.#deliver(batch, delivered)
    }
    this.#unreadable = unreadable
    return delivered
  }

  /** This device's session reaches further: somebody may have waited for it. */
  advanced(session: SessionId): void {
    this.#order.advanced(session)
  }

  /** A session was forked: what comes after is dropped, and commits that waited for it no longer wait. */
  forked({ id, fork }: HeldSession): void {
    for (const batch of this.#order.cut(id, fork!.seq)) this.#forget(batch)
    this.#order.advanced(id)
    for (const batch of this.#contradicted.values()) this.#order.retry(batch)
    this.#contradicted.clear()
  }

  /** What the first waiting batch of a session waits for, as far as it is not delivered. */
  lacking(session: SessionId): Dot[] {
    const { sessions } = this.#options
    const [first] = this.#order.waiting(session)
    return first ? this.missingFor(first, sessions.get(session)!.parents) : []
  }

  /** What a batch of a session with these parents depends on that is not delivered. */
  missingFor(batch: Batch, parents: readonly Dot[]): Dot[] {
    const { sessions } = this.#options
    return causesOf(batch, parents).filter((dep) => !isWithin(dep, sessions))
  }

  /** Whether batches of a session wait. */
  holds(session: SessionId): boolean {
    return this.#order.holds(session)
  }

  /**
   * Whether delivery might come to a halt before this batch of a session with these parents, when all before it there and all that is
   * `planned` is delivered.
   */
  async mayHaltBefore(batch: Batch, parents: readonly Dot[], planned?: Planned): Promise<boolean> {
    const { sessions } = this.#options
    const isMet = causesOf(batch, parents).every(
      (dep) => isWithin(dep, sessions) || planned?.covers(dep),
    )
    // Ignored: what cannot be read halts delivery, which reports it.
    return !isMet || !(await this.#agreement.of(batch, planned).catch(() => false))
  }

  /**
   * Makes room for `more` of a device, and tells whether it can have that. What has to leave for it is as if it had never come, the proof of
   * a fork after it included: sync asks for it again.
   */
  async makeRoom(device: HeldSession['device'], more: Usage): Promise<boolean> {
    if (this.#room.fits(more)) return true
    const leavers = this.#room.leaversFor(device, more)
    if (!leavers) return false
    await this.#drop(leavers)
    return true
  }

  /** What waits. */
  get waiting(): Usage {
    return this.#room.total
  }

  /** Sessions whose next batch depends on commits that differ from those held here at the same places. */
  get contradicted(): readonly SessionId[] {
    return [...this.#contradicted.keys()]
  }

  /** Sessions whose next batch waits because the store cannot be read. */
  get unreadable(): readonly SessionId[] {
    return this.#unreadable.map(({ session }) => session)
  }

  async #drop(leavers: readonly SessionId[]): Promise<void> {
    const { store, sessions, trace } = this.#options
    const drops = leavers.map((session) => {
      const held = sessions.get(session)!
      const batches = [...this.#order.waiting(session)]
      const { seq, batch } = held.reach
      return { held, batches, tip: { seq, batch } }
    })
    await store.write(
      drops.flatMap(({ held, batches, tip }) => [
        ...batches.map((batch) => ({ key: batchKey(held.id, firstSeq(batch)), value: undefined })),
        { key: tipKey(held.id), value: encodeTip(tip) },
        { key: forkKey(held.id), value: undefined },
      ]),
      'local',
    )
    for (const { held, batches, tip } of drops) {
      trace?.('commits.dropped', { session: held.id, commits: countOf(batches) })
      for (const batch of this.#order.cut(held.id, tip.seq + 1)) this.#forget(batch)
      sessions.cutBack(held, tip)
    }
  }

  #deliver(batch: Batch, delivered: Commit[]): void {
    const { sessions, heads, ids, clock } = this.#options
    sessions.deliver(batch)
    sessions.came(batch)
    heads.deliver(batch)
    ids.add(batch)
    clock.observe(latest(batch))
    this.#room.leave(batch)
    this.#order.delivered(batch)
    for (const commit of batch.commits) delivered.push(commit)
  }

  #report(name: 'session.unreadable' | 'session.contradicted', batch: Batch): void {
    const { sessions, trace } = this.#options
    const { session } = batch
    trace?.(name, { session, device: sessions.get(session)?.device, seq: firstSeq(batch) })
  }

  #forget(batch: Batch): void {
    this.#room.leave(batch)
    if (this.#contradicted.get(batch.session) === batch) this.#contradicted.delete(batch.session)
  }
}

const countOf = (batches: readonly Batch[]): number =>
  batches.reduce((count, { commits }) => count + commits.length, 0)

const isWithin = ({ session, seq }: Dot, sessions: Sessions): boolean =>
  sessions.reached(session) >= seq

const latest = (batch: Batch): Timestamp =>
  batch.commits
    .map(({ header }) => header.time)
    .reduce((a, b) => (compareTimestamps(a, b) < 0 ? b : a))
