import type { PeerplaneError } from '@peerplane/core'

import { openLineOfTab, openLobby, tabLock } from './channel.ts'
import type { TabEnvironment } from './environment.ts'
import { driveRemote, type RemoteBackend } from './follower-side.ts'

/** How often a tab that has no leader says hello. A new leader calls by itself; this is for a call that was not heard. */
const HELLO_EVERY_MS = 1_000

/** What a following tab is told. */
export interface FollowerEvents {
  /** There is a leader, the first or another one than before. */
  welcomed(backend: RemoteBackend): void
  /** How many tabs follow the leader, this one included. */
  following(tabs: number): void
  readonly watchFailed: (error: PeerplaneError) => void
}

/** Looks for whoever leads the tabs of a space, again after each change of leader, until the returned function is called. */
export function follow(
  env: TabEnvironment,
  space: string,
  tab: string,
  events: FollowerEvents,
): () => void {
  const stopping = new AbortController()
  let leader: string | undefined
  let remote: RemoteBackend | undefined
  let cancelHello: (() => void) | undefined
  let present = false

  const line = openLineOfTab(env, tab, (message) => {
    if (message.kind === 'welcome') {
      if (message.leader === leader) return
      leader = message.leader
      cancelHello?.()
      remote = driveRemote(leader, line.post, events.watchFailed)
      events.following(message.following)
      events.welcomed(remote)
    } else if (message.leader === leader) {
      if (message.kind === 'tabs') events.following(message.following)
      else remote?.receive(message)
    }
  })
  const lobby = openLobby(env, space, (message) => {
    if (message.kind === 'leader' && message.leader !== leader) hello()
  })
  const hello = (): void => {
    if (!present) return
    cancelHello?.()
    lobby.post({ kind: 'hello', tab })
    cancelHello = env.scheduler.after(HELLO_EVERY_MS, hello)
  }

  // Nobody may hear of this tab before it holds the lock by which its death is noticed.
  env.locks
    .hold(tabLock(tab), stopping.signal, () => {
      present = true
      hello()
      return aborted(stopping.signal)
    })
    // A browser that gives no locks any more is about to end this page.
    .catch(() => undefined)
  return () => {
    present = false
    cancelHello?.()
    stopping.abort()
    lobby.close()
    line.close()
  }
}

/** Resolves when `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
