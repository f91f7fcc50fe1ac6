import { asPeerplaneError, codeOf, PeerplaneError, reasonOf } from '@peerplane/core'
import type { Backend } from '@peerplane/runtime'

import { atDeadline } from './deadline.ts'
import type { TabEnvironment } from './environment.ts'
import { beginStay, type Lead, type TabsStatus } from './stay.ts'
import { createSteadyBackend } from './steady-backend.ts'
import { CONTRACT_VERSION } from './version.ts'

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
  const version = { app, contract: CONTRACT_VERSION }
  const steady = createSteadyBackend(env, () => end(gone()))
  const listeners = new Set<(tabs: TabsStatus) => void>()
  const attached = Promise.withResolvers<void>()
  let status: TabsStatus = { role: 'follower', others: 0, outdated: false }
  let leave: (() => Promise<void>) | undefined
  let left: Promise<void> = Promise.resolve()
  let wanted = true

  const enter = (): void => {
    if (!wanted || leave) return
    leave = beginStay(env, space, version, lead, steady, {
      leading: cancelDeadline,
      attached: attached.resolve,
      tabs: (next) => {
        status = next
        for (const listener of listeners) listener(next)
      },
      replaced: () => {
        env.trace?.('tab.replaced', {})
        void leaveSoon()
        left.then(enter, enter)
      },
      erased: () => end(new PeerplaneError('closed', 'the space was erased in this browser')),
      failed: (error) => {
        const failure = asPeerplaneError(error, 'store-failed')
        if (!failure.retry) return end(failure)
        attached.reject(error)
        steady.failed(error)
        env.trace?.('tab.failed', { code: codeOf(error), reason: reasonOf(error) })
        void leaveSoon()
        env.scheduler.after(LEAD_AGAIN_MS, enter)
      },
    })
  }
  const exit = (): Promise<void> => {
    if (leave) left = leave()
    leave = undefined
    return left
  }
  /** What could not be closed in order is closed by the browser; the store takes nothing wrong from it. */
  const leaveSoon = (): Promise<void> =>
    exit().catch((error: unknown) => {
      env.trace?.('upkeep.failed', { what: 'closing the replica of this tab', code: codeOf(error) })
    })
  const end = (error: PeerplaneError): void => {
    wanted = false
    stopWatchingPage()
    attached.reject(error)
    steady.end(error)
    env.trace?.('tab.ended', { code: error.code, reason: error.message })
    left = leaveSoon()
  }
  const cancelDeadline = atDeadline(env.scheduler, () => {
    const reason = 'another tab of this browser has opened the space and does not answer'
    attached.reject(new PeerplaneError('store-locked', reason))
  })
  const stopWatchingPage = env.watchPage({
    leaving: steady.backend.hasten,
    hidden: () => {
      wanted = false
      void leaveSoon()
    },
    shown: () => {
      wanted = true
      left.then(enter, enter)
    },
  })
  const close = async (): Promise<void> => {
    cancelDeadline()
    // Until then this tab takes part, and leads if it has to: what was called is done before it leaves.
    await steady.finish()
    stopWatchingPage()
    wanted = false
    steady.close()
    await exit()
  }
  let closing: Promise<void> | undefined

  enter()
  try {
    await attached.promise
  } catch (error) {
    // Ignored: why it could not be opened is the one to report.
    await close().catch(() => undefined)
    throw error
  }
  cancelDeadline()
  return {
    ...steady.backend,
    close: () => (closing ??= close()),
    tabs: () => status,
    watchTabs: (listener) => {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
  }
}
