import { toBase64Url } from '@peerplane/core'
import type { Backend } from '@peerplane/runtime'

import { openLineOfLeader, openLobby, tabLock } from './channel.ts'
import type { TabEnvironment } from './environment.ts'
import { serveTab } from './serve-tab.ts'

/** What the leader does for other tabs. */
export interface LeaderSide {
  /** Stops answering; what was not answered is asked again of the next leader. */
  stop(): void
}

/**
 * Serves `backend` to all tabs of a space that follow, as a new leader; `following` is told how many there are.
 *
 * Each tab holds a lock of its own for as long as it lives. The leader stands in line for it and is served when the tab is gone.
 */
export function serveTabs(
  env: TabEnvironment,
  space: string,
  backend: Backend,
  following: (tabs: number) => void,
): LeaderSide {
  const leader = toBase64Url(env.random.bytes(16))
  const tabs = new Map<string, Following>()
  const stopping = new AbortController()

  const tellCount = (): void => {
    for (const { count } of tabs.values()) count()
    following(tabs.size)
  }
  const admit = (tab: string): void => {
    const line = openLineOfLeader(env, tab, (message) => {
      if (message.leader === leader) service.receive(message)
    })
    const service = serveTab(backend, leader, line.post)
    tabs.set(tab, {
      welcome: () => line.post({ kind: 'welcome', leader, following: tabs.size }),
      count: () => line.post({ kind: 'tabs', leader, following: tabs.size }),
      stop: () => {
        service.stop()
        line.close()
      },
    })
    env.locks
      .hold(tabLock(tab), stopping.signal, async () => dismiss(tab))
      // A browser that gives no locks any more is about to end this page.
      .catch(() => dismiss(tab))
  }
  const dismiss = (tab: string): void => {
    tabs.get(tab)?.stop()
    if (tabs.delete(tab)) tellCount()
  }
  const lobby = openLobby(env, space, (message) => {
    if (message.kind !== 'hello') return
    const isNew = !tabs.has(message.tab)
    if (isNew) admit(message.tab)
    tabs.get(message.tab)?.welcome()
    if (isNew) tellCount()
  })

  lobby.post({ kind: 'leader', leader })
  following(0)
  return {
    stop: () => {
      stopping.abort()
      lobby.close()
      for (const { stop } of tabs.values()) stop()
      tabs.clear()
    },
  }
}

interface Following {
  readonly welcome: () => void
  readonly count: () => void
  readonly stop: () => void
}
