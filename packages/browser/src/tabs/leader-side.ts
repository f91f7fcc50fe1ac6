import { codeOf } from '@peerplane/core'
import { type LocalBackend } from '@peerplane/runtime'
import { backendContract, Service } from '@peerplane/runtime/contract'

import { openLeaderChannel, openLobby, tabLock } from './channel.ts'
import type { TabEnvironment } from './environment.ts'
import type { TabVersion } from './version.ts'

/** How long the last words of a tab that is gone may be on their way: they do not come in order with its death. */
const LAST_WORDS_MS = 1_000

/** What it takes to lead. */
export interface Leadership {
  readonly backend: LocalBackend
  /** Larger than that of every earlier leader of this store, which writes nothing from then on. */
  readonly term: number
  /** Resolves when the replica has to be closed and opened again. */
  readonly over?: Promise<void> | undefined
}

/** What the leader does for other tabs. */
export interface LeaderSide {
  /** Stops answering; what was not answered is asked again of the next leader. */
  stop(): void
}

/**
 * Serves `backend` to all tabs of a space that follow, as the leader of `term`; `following` is called with their number.
 *
 * Each tab holds a lock of its own for as long as it lives. The leader waits for it and gets it when the tab is gone.
 */
export function serveTabs(
  env: TabEnvironment,
  space: string,
  { backend, term }: Leadership,
  version: TabVersion,
  following: (tabs: number) => void,
): LeaderSide {
  const tabs = new Map<string, Following>()
  const stopping = new AbortController()
  /** Tabs that are gone, as long as something of them may be on its way. */
  const leaving = new Set<() => void>()

  const tellCount = (): void => {
    for (const { count } of tabs.values()) count()
    following(tabs.size)
  }
  const admit = (tab: string): void => {
    const channel = openLeaderChannel(env, tab, (message) => {
      if (message.term !== term) return
      if (message.kind === 'ping') channel.post({ kind: 'alive', term })
      else service.receive(message.request)
    })
    const service = new Service({
      contract: backendContract,
      target: backend,
      authority: 'manage',
      settled: backend.settled,
      current: { watchStatus: () => backend.status?.() },
      post: (reply) => channel.post({ kind: 'reply', term, reply }),
    })
    tabs.set(tab, {
      welcome: () => channel.post({ kind: 'welcome', term, following: tabs.size, version }),
      count: () => channel.post({ kind: 'tabs', term, following: tabs.size }),
      gone: () => service.endWatches(),
      stop: () => {
        service.stop()
        channel.close()
      },
    })
    env.locks
      .hold(tabLock(tab), stopping.signal, async () => dismiss(tab))
      // A browser that gives no more locks is about to end this page.
      .catch((error: unknown) => {
        env.trace?.('upkeep.failed', { what: 'the lock of another tab', code: codeOf(error) })
        dismiss(tab)
      })
  }
  const dismiss = (tab: string): void => {
    const left = tabs.get(tab)
    if (!left) return
    tabs.delete(tab)
    left.gone()
    const forget = (): void => {
      cancel()
      leaving.delete(forget)
      left.stop()
    }
    const cancel = env.scheduler.after(LAST_WORDS_MS, forget)
    leaving.add(forget)
    tellCount()
  }
  const lobby = openLobby(env, space, (message) => {
    if (message.kind !== 'hello') return
    const isNew = !tabs.has(message.tab)
    if (isNew) admit(message.tab)
    tabs.get(message.tab)?.welcome()
    if (isNew) tellCount()
  })

  lobby.post({ kind: 'leader', term })
  following(0)
  return {
    stop: () => {
      stopping.abort()
      lobby.close()
      for (const forget of leaving) forget()
      for (const { stop } of tabs.values()) stop()
      tabs.clear()
    },
  }
}

interface Following {
  readonly welcome: () => void
  readonly count: () => void
  /** The tab has died; what it has asked is still done. */
  readonly gone: () => void
  readonly stop: () => void
}
