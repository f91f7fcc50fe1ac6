import { asPeerplaneError, PeerplaneError } from '@peerplane/core'
import type {
  Commit,
  EntityKey,
  Frontier,
  Perturb,
  Scheduler,
  SessionId,
  Trace,
} from '@peerplane/core'
import type { Entities, Log } from '@peerplane/crdt-store'

import { Pauses } from './pauses.ts'
import { portions } from './portions.ts'
import { Refolding } from './refolding.ts'

/** What folding works with. */
export interface FoldingOptions {
  readonly log: Log
  /** They contain what the log has delivered so far, see {@link refoldStored}. */
  readonly entities: Entities
  readonly scheduler: Scheduler
  readonly perturb?: Perturb | undefined
  readonly trace?: Trace | undefined
  /** Whether a change of an entity has no effect without the changes that it builds on. */
  readonly needsCauses: (key: EntityKey) => boolean
  readonly events: {
    /** These states changed through commits of other devices. */
    changed(keys: readonly EntityKey[]): void
    /** All states are back to what the log holds. */
    reset(): void
    failed(error: unknown): void
  }
}

/** From a failure of folding to the next attempt, if nothing else gives reason for one. */
const RETRY_MS = 1_000

/** How often damaged rows are rebuilt until the next opening: a disk that damages them again at once is not to be trusted. */
const HEALINGS = 3

/** Folds what the log holds beyond the rows, and makes the rows again if they are damaged. Rejects with `store-corrupt` if the log is. */
export async function refoldStored(
  log: Log,
  entities: Entities,
  trace: Trace | undefined,
): Promise<void> {
  try {
    await refold(log, entities)
  } catch (error) {
    if (!isDamage(error)) throw error
    trace?.('rows.discarded', { why: 'damaged' })
    await entities.discard({ rows: true })
    await refold(log, entities)
  }
}

/** Keeps states up to what the log delivers, whatever happens to either of them. */
export class Folding {
  readonly #options: FoldingOptions
  readonly #stops: readonly (() => void)[]
  readonly #pauses: Pauses
  readonly #refolding: Refolding
  #running: Promise<void> = Promise.resolve()
  #discarded: Promise<void> = Promise.resolve()
  /** Something that was delivered is not folded: it is taken from the log again. */
  #isBehind = false
  #losses = 0
  #healings = 0
  /** States lack something that is to be folded again. Nothing of them is shown. */
  #isUnmade = false
  /** Why they could not be rebuilt last time. */
  #failure: PeerplaneError | undefined
  /** For perturbations: what was folded before the last time. */
  #earlier: readonly Commit[] = []
  #cancelRetry: (() => void) | undefined

  constructor(options: FoldingOptions) {
    this.#options = options
    this.#pauses = new Pauses(options.scheduler)
    const { log, events } = options
    this.#stops = [
      log.onDelivered((commits) => this.#enqueue(() => this.#fold(commits))),
      log.onFailure((error) => {
        events.failed(error)
        this.#beginAgain()
      }),
      log.onForked((session, seq, touched) => {
        const where = `session ${session.slice(0, 8)} has two versions from commit ${seq} on`
        events.failed(new PeerplaneError('fork', where))
        this.#refolding.add(session, seq, touched)
      }),
    ]
    this.#refolding = new Refolding({
      ...options,
      atRest: (task) => this.atRest(task),
      replaced: (keys) => {
        this.#losses++
        events.changed(keys)
      },
      failed: (error) => this.#refoldingFailed(error),
    })
  }

  /**
   * Takes back the effects that the rows have of commits after a fork. The rows have them if this device ended, or lost commits, before the
   * states without these effects were written.
   */
  async takeBack(): Promise<void> {
    const { log, entities } = this.#options
    const folded = entities.folded()
    for (const { session, seq } of log.status().frozen) {
      const last = folded.get(session) ?? 0
      if (last < seq) continue
      this.#refolding.add(session, seq, await log.touched(session, seq, last))
    }
  }

  /** Resolves when everything delivered so far is folded, and nothing in these entities is still to be taken back. */
  async refolded(keys: readonly EntityKey[]): Promise<void> {
    await this.#refolding.settled(keys)
    await this.folded()
  }

  /** Resolves when everything delivered so far is folded. */
  folded(): Promise<void> {
    if (this.#isBehind) this.#enqueue(() => this.#catchUp())
    return this.#running
  }

  /** How often states had to be rebuilt. */
  get losses(): number {
    return this.#losses
  }

  /** See {@link HeldSpace.atRest}. */
  atRest<T>(task: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#enqueue(async () => {
        await this.#catchUp().catch((error: unknown) => {
          reject(error)
          throw error
        })
        const before = this.#losses
        await task().then(resolve, (error: unknown) => {
          if (this.#losses === before) reject(error)
          else resolve(this.atRest(task))
        })
      })
    })
  }

  /** See {@link HeldSpace.read}. */
  async read<T>(read: () => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#isBehind || this.#isUnmade) await this.folded()
      const before = this.#losses
      try {
        const result = await read()
        if (this.#losses === before) return result
      } catch (error) {
        if (this.#losses === before) throw error
      }
    }
  }

  /** Reads states, unless they have to be rebuilt. Where rows are damaged they have to, which counts as a loss. */
  async guarded<T>(read: () => Promise<T>): Promise<T> {
    if (this.#isUnmade) {
      throw this.#failure ?? new PeerplaneError('store-failed', 'states are being rebuilt')
    }
    try {
      return await read()
    } catch (error) {
      if (this.#takesHealing(error)) this.#beginAgain('damaged')
      throw error
    }
  }

  /** Folds nothing that is delivered from now on; resolves when everything before is folded. */
  async stop(): Promise<void> {
    for (const stop of this.#stops) stop()
    this.#pauses.stop()
    await this.#refolding.stop()
    await this.#running
    this.#cancelRetry?.()
  }

  #enqueue(task: () => Promise<void>): void {
    this.#running = this.#running.then(task).catch((error: unknown) => {
      this.#isBehind = true
      const { events, scheduler } = this.#options
      this.#failure = asPeerplaneError(error, 'store-failed')
      events.failed(error)
      this.#cancelRetry?.()
      if (!this.#failure.retry) return
      this.#cancelRetry = scheduler.after(RETRY_MS, () => this.#enqueue(() => this.#catchUp()))
    })
  }

  async #fold(commits: readonly Commit[]): Promise<void> {
    const { events, perturb } = this.#options
    for (const portion of portions(commits)) {
      // Also when commits were lost during a pause.
      if (this.#isBehind || this.#isBroken) return this.#catchUp()
      try {
        events.changed(await this.#foldCounting(portion.commits))
      } catch (error) {
        if (!this.#takesHealing(error)) throw error
        void this.#discard('damaged')
        return this.#catchUp()
      }
      if (portion.isLarge) await this.#pauses.pause()
    }
    if (!perturb) return
    if (perturb('fold-again')) await this.#foldCounting(this.#earlier)
    this.#earlier = commits
  }

  /** Leaves out what no longer counts, because a fork was found after it was delivered. */
  #foldCounting(commits: readonly Commit[]): Promise<readonly EntityKey[]> {
    const { log, entities } = this.#options
    return entities.fold(
      commits.filter(({ session, header: { seq } }) => !log.isVoid({ session, seq })),
    )
  }

  async #catchUp(): Promise<void> {
    if (!this.#isBehind || this.#isBroken) return
    const { log, entities, events } = this.#options
    this.#isBehind = false
    this.#earlier = []
    try {
      // Ignored: it is done once more, with the rows, and fails then.
      await this.#discarded.catch(() => this.#discard('damaged'))
      await log.settled()
      await refold(log, entities)
      await this.takeBack()
      this.#isUnmade = false
      this.#failure = undefined
    } catch (error) {
      if (!isDamage(error)) throw error
      if (this.#takesHealing(error)) {
        void this.#discard('damaged')
        return this.#catchUp()
      }
      // The log is damaged, or the rows are and stay.
      this.#isUnmade = true
      this.#failure = asPeerplaneError(error, 'store-corrupt')
      events.failed(error)
    }
    events.reset()
  }

  #beginAgain(why?: 'damaged'): void {
    void this.#discard(why)
    this.#enqueue(() => this.#catchUp())
  }

  #refoldingFailed(error: unknown): boolean {
    if (this.#takesHealing(error)) {
      this.#beginAgain('damaged')
      return true
    }
    this.#options.events.failed(error)
    return asPeerplaneError(error, 'store-failed').retry
  }

  /**
   * At once: rows that wait for lost commits must not be written, and this device's next commit must not be forgotten with them. If rows are
   * damaged they go too, and this device's commits from now on belong to a new session.
   */
  #discard(why?: 'damaged'): Promise<void> {
    const { log, entities, trace } = this.#options
    this.#isBehind = true
    this.#losses++
    if (why) {
      trace?.('rows.discarded', { why })
      this.#isUnmade = true
      void log.retire()
    }
    this.#discarded = entities.discard({ rows: why !== undefined })
    // Ignored: the next catching up awaits it.
    this.#discarded.catch(() => undefined)
    return this.#discarded
  }

  /** Whether rows are to be rebuilt because of this. */
  #takesHealing(error: unknown): boolean {
    if (!this.#mayHeal(error)) return false
    this.#healings++
    return true
  }

  #mayHeal(error: unknown): boolean {
    return isDamage(error) && this.#healings < HEALINGS
  }

  /** Whether states cannot be rebuilt. */
  get #isBroken(): boolean {
    return this.#isUnmade && isDamage(this.#failure) && !this.#mayHeal(this.#failure)
  }
}

const isDamage = (error: unknown): boolean =>
  error instanceof PeerplaneError && error.code === 'store-corrupt'

async function refold(log: Log, entities: Entities): Promise<void> {
  for await (const commits of log.replay(placesOf(entities.folded()))) await entities.fold(commits)
}

/** Seqs as a frontier; replaying does not look at marks. */
const placesOf = (folded: ReadonlyMap<SessionId, number>): Frontier =>
  new Map([...folded].map(([session, seq]) => [session, { session, seq, mark: '' }]))
