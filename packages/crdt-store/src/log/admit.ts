import type { Commit, Crypto, Dot, EntityKey, Run, Store } from '@peerplane/core'

import type { Appender } from './append.ts'
import type { Delivery } from './delivery.ts'
import { examineAll, type Examined } from './examine.ts'
import { forkIn, type Frozen } from './forks.ts'
import type { Heads } from './heads.ts'
import { touchedBy } from './history.ts'
import { whatToKeep } from './keep.ts'
import type { OpeningVerifier } from './opening-verifier.ts'
import { persist, type News } from './persist.ts'
import { Planned } from './planned.ts'
import type { Sessions } from './sessions.ts'

/** What taking in works with. */
export interface IntakeOptions {
  readonly store: Store
  readonly crypto: Crypto
  readonly sessions: Sessions
  readonly membership: OpeningVerifier
  readonly heads: Heads
  readonly delivery: Delivery
  readonly appender: Appender
}

/** What a run has brought. */
export interface Taken {
  readonly stored: readonly Commit[]
  /** Delivered because of it, in causal order. */
  readonly delivered: readonly Commit[]
  /** What its first batch that cannot be delivered waits for. */
  readonly awaits: readonly Dot[]
  /** Whether batches were left out because there is no room for what has to wait. */
  readonly full: boolean
  /** A fork that it proved. */
  readonly forked?: Frozen & {
    /** The entities that commits from the fork on changed; `undefined` if none of these was delivered. */
    readonly undone: ReadonlySet<EntityKey> | undefined
  }
}

const NOTHING: Taken = { stored: [], delivered: [], awaits: [], full: false }

/**
 * Takes in runs of different sessions; the next ones may come when it is done. Of each, what costs least is checked first, and nothing of it
 * is stored before everything holds:
 *
 *     sizes ─ gap ─ opening: form, space, admissions ─ batches: form, chain ─ last signature or proof ─ fork ─ room to wait
 *
 * Runs that can be delivered at once, perhaps because of one another, are stored in one write. One that is refused has no effect on the others.
 */
export async function takeRuns(
  runs: readonly Run[],
  options: IntakeOptions,
): Promise<PromiseSettledResult<Taken>[]> {
  const examined = await examineAll(runs, options)
  const group = new Group(options)
  for (const [index, run] of runs.entries()) {
    await group.take(run, examined[index]!)
  }
  return group.finish()
}

/** Collects what can be stored in one write. */
class Group {
  readonly #options: IntakeOptions
  readonly #planned = new Planned()
  readonly #outcomes: PromiseSettledResult<Taken>[] = []
  readonly #members: { readonly index: number; readonly news: News }[] = []

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** Takes the next run. */
  async take(run: Run, result: PromiseSettledResult<Examined | undefined>): Promise<void> {
    const index = this.#outcomes.length
    this.#outcomes.push(fulfilled(NOTHING))
    try {
      await this.#settle(index, run, result)
    } catch (reason) {
      this.#outcomes[index] = { status: 'rejected', reason }
    }
  }

  /** Stores what is not yet stored; what has become of each run. */
  async finish(): Promise<PromiseSettledResult<Taken>[]> {
    // Ignored: it is the outcome of each of them.
    await this.#flush().catch(() => undefined)
    return this.#outcomes
  }

  async #settle(
    index: number,
    run: Run,
    result: PromiseSettledResult<Examined | undefined>,
  ): Promise<void> {
    if (result.status === 'rejected') throw result.reason
    if (result.value) await this.#keep(index, run, result.value)
  }

  async #keep(index: number, run: Run, examined: Examined): Promise<void> {
    const { sessions, appender } = this.#options
    if (appender.writes(run.session)) {
      // A copy of this device writes the session, too. This one goes on in another session; then what both wrote is compared.
      await appender.retire()
      return this.#takeAnew(index, run)
    }
    // Room that was made for another run may have cost this one what it continues.
    if (sessions.get(run.session)?.stored !== examined.stored) return this.#takeAnew(index, run)
    const { opening, decoded, rival } = examined
    const { session } = run
    // What continues another opening does not count, nor does it fit.
    const fresh = rival ? [] : decoded.fresh
    const kept = await whatToKeep(fresh, examined, this.#options, this.#planned)
    const { forms, awaits, full, waits } = kept
    const fork = full ? undefined : await forkIn(examined, this.#options.store)
    const news = { session, opening, forms, fork }
    if (!waits) {
      this.#members.push({ index, news })
      for (const { batch } of forms) this.#planned.add(batch)
      return
    }
    await this.#flush()
    if (full && forms.length === 0) {
      this.#outcomes[index] = fulfilled({ ...NOTHING, awaits, full })
      return
    }
    const [taken] = await takeTogether([news], this.#options)
    this.#outcomes[index] = fulfilled(full ? { ...taken!, awaits, full } : taken!)
  }

  async #takeAnew(index: number, run: Run): Promise<void> {
    await this.#flush()
    const [again] = await examineAll([run], this.#options)
    await this.#settle(index, run, again!)
  }

  /** Rejects with what is the outcome of all members then: what counts on them cannot be taken either. */
  async #flush(): Promise<void> {
    const members = this.#members.splice(0)
    this.#planned.clear()
    if (members.length === 0) return
    try {
      const news = members.map((member) => member.news)
      const taken = await takeTogether(news, this.#options)
      for (const [at, { index }] of members.entries()) this.#outcomes[index] = fulfilled(taken[at]!)
    } catch (reason) {
      for (const { index } of members) this.#outcomes[index] = { status: 'rejected', reason }
      throw reason
    }
  }
}

const fulfilled = <T>(value: T): PromiseFulfilledResult<T> => ({ status: 'fulfilled', value })

/** Stores what is new in one write and delivers it; all that is delivered because of it is said of the last. */
async function takeTogether(news: readonly News[], options: IntakeOptions): Promise<Taken[]> {
  const { heads, delivery } = options
  const undone = await Promise.all(news.map((each) => undoneBy(each, options)))
  const held = await persist(news, options)
  for (const [index, { forms, fork }] of news.entries()) {
    for (const { batch, encoded } of forms) delivery.add(batch, encoded.length)
    if (fork) {
      heads.forked(held[index]!)
      delivery.forked(held[index]!)
    }
  }
  const delivered = await delivery.deliver()
  return news.map(({ session, forms, fork }, index): Taken => {
    const taken = {
      stored: forms.flatMap(({ batch }) => batch.commits),
      delivered: index === news.length - 1 ? delivered : [],
      awaits: delivery.lacking(session),
      full: false,
    }
    if (!fork) return taken
    const { seq } = fork
    const { device } = held[index]!
    return { ...taken, forked: { session, device, seq, undone: undone[index] } }
  })
}

/** The entities that delivered commits from a fork on have changed, which no longer count with it. */
async function undoneBy(
  { session, fork }: News,
  { store, sessions }: IntakeOptions,
): Promise<ReadonlySet<EntityKey> | undefined> {
  const reached = sessions.get(session)?.reach.seq ?? 0
  return fork && reached >= fork.seq ? touchedBy(store, session, fork.seq, reached) : undefined
}
