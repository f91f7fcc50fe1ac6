import { asPeerplaneError, codeOf, PeerplaneError, reasonOf, type Service } from '@peerplane/core'
import type { Backend } from '@peerplane/runtime'

import { atDeadline } from './deadline.ts'
import type { TabEnvironment } from './environment.ts'
import { beginStay, type Lead, type TabsStatus } from './stay.ts'
import { SteadyBackend } from './steady-backend.ts'
import { CONTRACT_VERSION, type TabVersion } from './version.ts'

/** How long a tab that failed to lead lets others try before it waits for the lock again. */
const LEAD_AGAIN_MS = 5_000

/** The error for a page whose space is not stored in this browser any longer, and was not lost while it was open here. */
export const gone = (): PeerplaneError =>
  new PeerplaneError(
    'closed',
    'what this page had open is gone from this browser: the space was erased, or its storage was cleared',
  )

/** A backend that is shared by all tabs of a profile. */
export interface TabBackend extends Backend {
  tabs(): TabsStatus
  /** Calls back after each change. The returned function ends it. */
  watchTabs(listener: (tabs: TabsStatus) => void): () => void
}

/**
 * The one replica of a space in this browser profile: opened here with `lead` if no other tab leads, otherwise used through the tab that
 * does. When that tab goes away, one of the others takes over, and no caller notices: open requests are answered by the new leader, each
 * command takes effect once, and watches go on.
 *
 * What was acknowledged is kept at its durability. What a watch showed before it was durable can be gone after a take-over, except commands
 * of this tab that were not answered: they are run again before its watches go on.
 *
 * What is called as the page goes away is done, too: a leading tab stores it in the same task, a following one has asked by then. A page that
 * is kept for the back button leaves, and joins again when it comes back. Rejects with what `lead` rejects
 * with, or `store-locked` if another tab leads but does not answer.
 */
export async function openInTabs(
  env: TabEnvironment,
  space: string,
  app: number,
  lead: Lead,
): Promise<TabBackend> {
  const shared = new SharedReplica(env, space, { app, contract: CONTRACT_VERSION }, lead)
  await shared.opened()
  return {
    ...shared.backend,
    close: () => shared.close(),
    tabs: () => shared.tabs,
    watchTabs: (listener) => shared.watchTabs(listener),
  }
}

/** The replica as one tab has it, in one stay after the other: a stay ends when its page is put away, and when the tab fails or is replaced. */
class SharedReplica {
  readonly #env: TabEnvironment
  readonly #space: string
  readonly #version: TabVersion
  readonly #lead: Lead
  readonly #steady: SteadyBackend
  readonly #listeners = new Set<(tabs: TabsStatus) => void>()
  readonly #attached = Promise.withResolvers<void>()
  readonly #cancelDeadline: () => void
  readonly #stopWatchingPage: () => void
  #tabs: TabsStatus = { role: 'follower', others: 0, outdated: false }
  #stay: Service | undefined
  #left: Promise<void> = Promise.resolve()
  /** Whether this tab is to take part: its page is shown, and nothing has ended its plane. */
  #isWanted = true
  #cancelAgain: (() => void) | undefined
  #closing: Promise<void> | undefined

  constructor(env: TabEnvironment, space: string, version: TabVersion, lead: Lead) {
    this.#env = env
    this.#space = space
    this.#version = version
    this.#lead = lead
    this.#steady = new SteadyBackend(env, () => this.#end(gone()))
    this.#cancelDeadline = atDeadline(env.scheduler, () => {
      const reason = 'another tab of this browser has opened the space and does not answer'
      this.#attached.reject(new PeerplaneError('store-locked', reason))
    })
    this.#stopWatchingPage = env.watchPage({
      leaving: () => this.#steady.backend.hasten(),
      hidden: () => {
        this.#isWanted = false
        void this.#exitSoon()
      },
      shown: () => {
        this.#isWanted = true
        this.#enterAgain()
      },
    })
    this.#enter()
  }

  get backend(): SteadyBackend['backend'] {
    return this.#steady.backend
  }

  get tabs(): TabsStatus {
    return this.#tabs
  }

  watchTabs(listener: (tabs: TabsStatus) => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /** Resolves when what is asked reaches a runtime. If it rejects, nothing of this tab goes on. */
  async opened(): Promise<void> {
    try {
      await this.#attached.promise
    } catch (error) {
      // Ignored: why it could not be opened is the one to report.
      await this.close().catch(() => undefined)
      throw error
    }
    this.#cancelDeadline()
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#cancelDeadline()
    // Until then this tab takes part, and leads if it has to: what was called is done before it leaves.
    await this.#steady.stop()
    this.#stopWatchingPage()
    this.#isWanted = false
    this.#cancelAgain?.()
    await this.#exit()
  }

  #enter(): void {
    if (!this.#isWanted || this.#stay) return
    this.#stay = beginStay(this.#env, this.#space, this.#version, this.#lead, this.#steady, {
      leading: this.#cancelDeadline,
      attached: this.#attached.resolve,
      tabs: (tabs) => {
        this.#tabs = tabs
        for (const listener of this.#listeners) listener(tabs)
      },
      replaced: () => {
        this.#env.trace?.('tab.replaced', {})
        void this.#exitSoon()
        this.#enterAgain()
      },
      erased: () => this.#end(new PeerplaneError('closed', 'the space was erased in this browser')),
      failed: (error) => this.#failed(error),
    })
  }

  #enterAgain(): void {
    const enter = (): void => this.#enter()
    this.#left.then(enter, enter)
  }

  #failed(error: unknown): void {
    const { trace, scheduler } = this.#env
    const failure = asPeerplaneError(error, 'store-failed')
    if (!failure.retry) return this.#end(failure)
    this.#attached.reject(error)
    this.#steady.failed(error)
    trace?.('tab.failed', { code: codeOf(error), reason: reasonOf(error) })
    void this.#exitSoon()
    this.#cancelAgain?.()
    this.#cancelAgain = scheduler.after(LEAD_AGAIN_MS, () => this.#enter())
  }

  async #exit(): Promise<void> {
    const stay = this.#stay
    this.#stay = undefined
    if (stay) this.#left = Promise.resolve(stay.stop())
    await this.#left
  }

  /** What could not be closed in order is closed by the browser; the store takes nothing wrong from it. */
  #exitSoon(): Promise<void> {
    return this.#exit().catch((error: unknown) => {
      const what = 'closing the replica of this tab'
      this.#env.trace?.('upkeep.failed', { what, code: codeOf(error) })
    })
  }

  /** No tab can go on with what this plane had open. */
  #end(error: PeerplaneError): void {
    this.#isWanted = false
    this.#stopWatchingPage()
    this.#attached.reject(error)
    this.#steady.fail(error)
    this.#env.trace?.('tab.ended', { code: error.code, reason: error.message })
    this.#left = this.#exitSoon()
  }
}
