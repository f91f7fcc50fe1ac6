import { codeOf, limits, type PeerplaneError } from '@peerplane/core'
import { backendContract, Client, type RemoteBackend } from '@peerplane/runtime/contract'

import { openTabChannel, openLobby, tabLock } from './channel.ts'
import type { TabEnvironment } from './environment.ts'
import { compareVersions, type TabVersion } from './version.ts'

/** What a following tab is notified of. */
export interface FollowerEvents {
  /** There is a leader, the first or another one than before. `isOlder` if this tab has an older version than the leader. */
  welcomed(backend: RemoteBackend, isOlder: boolean): void
  /** The leader has an older version than this tab, and may not know what this one asks for. */
  older(): void
  /** How many tabs follow the leader, this one included. */
  following(tabs: number): void
  /** Nobody has given a sign of life for long: who leads hangs. Called again as long as that goes on. */
  silent(): void
  readonly watchFailed: (error: PeerplaneError) => void
}

/** Looks for the leading tab of a space, again after each change of leader, until the returned function is called. */
export function follow(
  env: TabEnvironment,
  space: string,
  tab: string,
  version: TabVersion,
  events: FollowerEvents,
): () => void {
  const stopping = new AbortController()
  let leader: { readonly term: number; readonly client: Client<RemoteBackend> } | undefined
  let looking = true
  let present = false
  let cancelBeat: (() => void) | undefined
  /** Beats since the last sign of life. Time would not do: this tab may have hung itself. */
  let silence = 0

  const channel = openTabChannel(env, tab, (message) => {
    const current = leader?.term ?? -1
    if (message.term < current) return
    silence = 0
    if (message.kind === 'welcome') {
      looking = false
      if (message.term === current) return
      const { term } = message
      const client = new Client<RemoteBackend>({
        contract: backendContract,
        post: (request) => channel.post({ kind: 'request', term, request }),
        refused: events.watchFailed,
      })
      leader = { term, client }
      events.following(message.following)
      const order = compareVersions(version, message.version)
      if (order > 0) events.older()
      else events.welcomed(client.target, order < 0)
    } else if (message.term !== current) return
    else if (message.kind === 'tabs') events.following(message.following)
    else if (message.kind === 'reply') leader?.client.receive(message.reply)
  })
  const lobby = openLobby(env, space, (message) => {
    if (message.kind === 'opening') silence = 0
    if (message.kind !== 'leader' || message.term <= (leader?.term ?? -1)) return
    silence = 0
    looking = true
    beat()
  })
  const listen = (): void => {
    silence += 1
    if (silence >= patience) {
      silence = 0
      events.silent()
    }
    beat()
  }
  const beat = (): void => {
    cancelBeat?.()
    if (!present) return
    cancelBeat = env.scheduler.after(limits.tabBeatMs, listen)
    if (leader && !looking) channel.post({ kind: 'ping', term: leader.term })
    // A leader that has gone, or never answered, may have a successor that was not heard.
    if (looking || silence > 0) lobby.post({ kind: 'hello', tab })
  }
  // Not all at once: who takes over first is heard by the others.
  const patience = limits.tabSilentBeats + (env.random.bytes(1)[0]! % JITTER_BEATS)

  // Nobody may hear of this tab before it holds the lock by which its death is noticed.
  env.locks
    .hold(tabLock(tab), stopping.signal, () => {
      present = true
      beat()
      return aborted(stopping.signal)
    })
    // A browser that gives no more locks is about to end this page.
    .catch((error: unknown) => {
      env.trace?.('upkeep.failed', { what: 'the lock of this tab', code: codeOf(error) })
    })
  return () => {
    present = false
    stopping.abort()
    cancelBeat?.()
    lobby.close()
    channel.close()
  }
}

const JITTER_BEATS = 4

/** Resolves when `signal` aborts. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
