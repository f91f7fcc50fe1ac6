import { asPeerplaneError, limits, type PeerplaneError } from '@peerplane/core'
import type { EntityKey, Scheduler, SessionId, Trace } from '@peerplane/core'
import type { Entities, Log, Refold } from '@peerplane/crdt-store'

import { Pauses } from './pauses.ts'
import { portions } from './portions.ts'

/** What folding again works with. */
export interface RefoldingOptions {
  readonly log: Log
  readonly entities: Entities
  readonly scheduler: Scheduler
  readonly trace?: Trace | undefined
  /** Runs a task while nothing else is folded; see {@link HeldSpace.atRest}. */
  readonly atRest: <T>(task: () => Promise<T>) => Promise<T>
  /** These entities have new states: those that were opened before are wrong. */
  readonly replaced: (keys: readonly EntityKey[]) => void
  /** A pass failed; says whether another one may succeed. */
  readonly failed: (error: unknown) => boolean
}

/** After a pass, for each batch that was looked through: that takes about a tenth of this. */
const PAUSE_MS_PER_BATCH = 0.1

/** A fork after which commits have been folded. */
interface Due {
  readonly seq: number
  /** What these commits changed. */
  readonly touched: ReadonlySet<EntityKey>
}

/**
 * Takes the effect of commits back that no longer count, because their session was forked: the entities that they changed are folded again from
 * the log, in passes, and nothing else waits for it. However many forks come, passes take a small part of the time.
 *
 *     fork ─> due ──(pause)──> pass: of the entities due, some at once: look through the log ─> fold ─> put in place
 */
export class Refolding {
  readonly #options: RefoldingOptions
  readonly #pauses: Pauses
  readonly #due = new Map<SessionId, Due>()
  #running: Promise<void> | undefined
  #passed = Promise.withResolvers<void>()
  /** Why the last pass failed. */
  #failure: PeerplaneError | undefined
  #isStopped = false

  constructor(options: RefoldingOptions) {
    this.#options = options
    this.#pauses = new Pauses(options.scheduler)
  }

  /** A session was forked at `seq`, after its commits from there on were folded; they changed the `touched` entities. */
  add(session: SessionId, seq: number, touched: ReadonlySet<EntityKey>): void {
    const before = this.#due.get(session)?.touched ?? []
    this.#due.set(session, { seq, touched: new Set([...before, ...touched]) })
    this.#running ??= this.#run()
  }

  /** Resolves when no state of these entities has an effect of commits that no longer count. Rejects when that could not be reached. */
  async settled(keys: readonly EntityKey[]): Promise<void> {
    while (!this.#isStopped && keys.some((key) => this.#isDue(key))) {
      if (this.#failure) throw this.#failure
      await this.#passed.promise
    }
  }

  /** Ends a pass that is in progress. What is due is found again by the next opening. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#pauses.stop()
    this.#passed.resolve()
    await this.#running
  }

  async #run(): Promise<void> {
    let isHopeless = false
    while (this.#due.size > 0 && !this.#isStopped && !isHopeless) {
      let batches = 0
      try {
        batches = await this.#pass()
        this.#failure = undefined
      } catch (error) {
        this.#failure = asPeerplaneError(error, 'store-failed')
        isHopeless = !this.#options.failed(error)
      }
      this.#passed.resolve()
      this.#passed = Promise.withResolvers()
      await this.#pauses.pause(limits.refoldPauseMs + batches * PAUSE_MS_PER_BATCH)
    }
    this.#running = undefined
  }

  #isDue(key: EntityKey): boolean {
    for (const { touched } of this.#due.values()) if (touched.has(key)) return true
    return false
  }

  /** Takes back all that is due; says how many batches were looked through. */
  async #pass(): Promise<number> {
    const { entities, trace, atRest } = this.#options
    const forks = new Map(this.#due)
    const keys = new Set<EntityKey>()
    for (const { touched } of forks.values()) for (const key of touched) keys.add(key)
    const rest = [...keys]
    const figures = { sessions: forks.size, entities: keys.size, commits: 0, batches: 0 }
    do {
      const some = rest.splice(0, limits.refoldedEntities)
      const refold = await atRest(async () => entities.refold(some))
      try {
        if (refold.keys.length > 0) await this.#refold(refold, figures)
        if (this.#isStopped) return figures.batches
        const isLast = rest.length === 0
        const isDone = await atRest(() =>
          refold.finish(() => {
            if (isLast) this.#takeBack(forks)
            this.#options.replaced(some)
          }),
        )
        if (!isDone) return figures.batches
      } finally {
        refold.close()
      }
    } while (rest.length > 0)
    trace?.('entities.refolded', { ...figures })
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

  /** States have no effect of commits any longer that come after these forks. */
  #takeBack(forks: ReadonlyMap<SessionId, Due>): void {
    for (const [session, due] of forks) {
      this.#options.entities.retreat(session, due.seq - 1)
      if (this.#due.get(session) === due) this.#due.delete(session)
    }
  }
}
