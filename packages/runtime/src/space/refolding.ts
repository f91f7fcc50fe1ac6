import { asPeerplaneError, limits, type PeerplaneError } from '@peerplane/core'
import type { DeviceId, EntityKey, Scheduler, SessionId, Trace } from '@peerplane/core'
import type { Entities, Log, Refold } from '@peerplane/crdt-store'

import { Pauses } from './pauses.ts'
import { portions } from './portions.ts'
import { RefoldTurns } from './refold-turns.ts'

/** What folding again works with. */
export interface RefoldingOptions {
  readonly log: Log
  readonly entities: Entities
  readonly scheduler: Scheduler
  readonly trace?: Trace | undefined
  /** Runs a task while nothing else is folded; see {@link HeldSpace.atRest}. */
  readonly atRest: <T>(task: () => Promise<T>) => Promise<T>
  /** Whether a change of an entity has no effect without the changes that it builds on. */
  readonly needsCauses: (key: EntityKey) => boolean
  /** These entities have new states: those that were opened before are wrong. */
  readonly replaced: (keys: readonly EntityKey[]) => void
  /** A pass failed; says whether another one may succeed. */
  readonly failed: (error: unknown) => boolean
}

/** After a pass, for each batch that was looked through: that takes about a tenth of this. */
const PAUSE_MS_PER_BATCH = 0.1

/** A fork after which commits have been folded. */
interface Due {
  readonly device: DeviceId
  readonly seq: number
  /** What these commits changed and is not folded again yet. */
  readonly left: Set<EntityKey>
}

/** A command that waits until these entities are folded again, in a pass that begins after it. */
interface Waiter {
  readonly keys: Set<EntityKey>
  readonly done: PromiseWithResolvers<void>
}

/** Entities that are folded again together, for the forks and the commands that were there when that began. */
interface Pass {
  readonly keys: readonly EntityKey[]
  readonly forks: ReadonlyMap<SessionId, Due>
  readonly waiters: ReadonlySet<Waiter>
}

/**
 * Takes the effect of commits back that no longer count, because their session was forked: the entities that they changed are folded again from
 * the log, in passes, and nothing else waits for it. However many forks come, passes take a small part of the time; see {@link RefoldTurns}.
 *
 *     fork ─> due ──(pause)──> pass: some of the entities due: look through the log ─> fold ─> put in place
 */
export class Refolding {
  readonly #options: RefoldingOptions
  readonly #pauses: Pauses
  readonly #turns = new RefoldTurns()
  readonly #due = new Map<SessionId, Due>()
  readonly #waiters = new Set<Waiter>()
  #running: Promise<void> | undefined
  /** Why the last pass failed. */
  #failure: PeerplaneError | undefined
  #isStopped = false

  constructor(options: RefoldingOptions) {
    this.#options = options
    this.#pauses = new Pauses(options.scheduler)
  }

  /** A session was forked at `seq`, after its commits from there on were folded; they changed the `touched` entities. */
  add(session: SessionId, seq: number, touched: ReadonlySet<EntityKey>): void {
    const before = this.#due.get(session)?.left ?? []
    const device = this.#options.log.deviceOf(session)
    this.#due.set(session, { device, seq, left: new Set([...before, ...touched]) })
    this.#running ??= this.#run()
  }

  /**
   * Resolves when no state of these entities has an effect of commits that no longer count, as far as forks are known now: one that forks again
   * and again keeps nobody waiting. Rejects when that could not be reached.
   */
  async settled(keys: readonly EntityKey[]): Promise<void> {
    const due = keys.filter((key) => this.#isDue(key))
    if (due.length === 0 || this.#isStopped) return
    if (this.#failure) throw this.#failure
    const waiter = { keys: new Set(due), done: Promise.withResolvers<void>() }
    this.#waiters.add(waiter)
    await waiter.done.promise
  }

  /** Ends a pass that is in progress. What is due is found again by the next opening. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#pauses.stop()
    for (const { done } of this.#waiters) done.resolve()
    await this.#running
  }

  async #run(): Promise<void> {
    let isHopeless = false
    while (this.#due.size > 0 && !this.#isStopped && !isHopeless) {
      let batches = 0
      try {
        batches = await this.#pass(this.#next())
        this.#failure = undefined
      } catch (error) {
        this.#failure = asPeerplaneError(error, 'store-failed')
        isHopeless = !this.#options.failed(error)
        for (const { done } of this.#waiters) done.reject(this.#failure)
        this.#waiters.clear()
      }
      const pause = limits.refoldPauseMs + batches * PAUSE_MS_PER_BATCH
      await this.#pauses.pause(pause)
      this.#turns.advance(pause)
    }
    this.#running = undefined
  }

  #isDue(key: EntityKey): boolean {
    for (const { left } of this.#due.values()) if (left.has(key)) return true
    return false
  }

  #next(): Pass {
    const waiters = new Set(this.#waiters)
    const wanted = [...waiters].flatMap((waiter) => [...waiter.keys])
    const keys = this.#turns.choose(this.#due.values(), wanted)
    return { keys: [...keys], forks: new Map(this.#due), waiters }
  }

  /** Folds some entities again; says how many batches were looked through. */
  async #pass(pass: Pass): Promise<number> {
    const { entities, trace, atRest } = this.#options
    const refold = await atRest(async () => entities.refold(pass.keys))
    const figures = { entities: pass.keys.length, commits: 0, batches: 0 }
    try {
      if (refold.keys.length > 0) await this.#refold(refold, figures)
      if (this.#isStopped) return figures.batches
      const isDone = await atRest(() => refold.finish(() => this.#passed(pass)))
      if (!isDone) return figures.batches
    } finally {
      refold.close()
    }
    const left = [...this.#due.values()].reduce((sum, due) => sum + due.left.size, 0)
    trace?.('entities.refolded', { ...figures, left })
    return figures.batches
  }

  /** Folds what counts of some entities. */
  async #refold(refold: Refold, figures: { commits: number; batches: number }): Promise<void> {
    const { log } = this.#options
    // What this device has written is in the states that are shown, and has to be in the log.
    await log.settled()
    for await (const { commits, batches } of log.history(new Set(refold.keys), refold.folded)) {
      figures.batches += batches
      figures.commits += commits.length
      for (const portion of portions(commits)) {
        await refold.add(portion.commits)
        if (portion.isLarge) await this.#pauses.pause()
      }
      if (batches > 0) await this.#pauses.pause()
      if (this.#isStopped) return
    }
  }

  /** The states of these entities have no effect of commits any longer that come after these forks. */
  #passed({ keys, forks, waiters }: Pass): void {
    const { log, entities, needsCauses, replaced } = this.#options
    // What this session changed may build on what no longer counts, and then it has no effect; what is written from now on must not wait behind it.
    if (keys.some(needsCauses)) void log.retire()
    for (const [session, due] of forks) {
      for (const key of keys) due.left.delete(key)
      if (due.left.size > 0 || this.#due.get(session) !== due) continue
      entities.retreat(session, due.seq - 1)
      this.#due.delete(session)
    }
    replaced(keys)
    for (const waiter of this.#waiters) {
      // One that has come meanwhile may know of later forks.
      const isBefore = waiters.has(waiter)
      for (const key of keys) if (isBefore || !this.#isDue(key)) waiter.keys.delete(key)
      if (waiter.keys.size > 0) continue
      this.#waiters.delete(waiter)
      waiter.done.resolve()
    }
  }
}
