import { codeOf, limits, type PeerplaneError } from '@peerplane/core'
import { backendContract, Client, type RemoteBackend } from '@peerplane/runtime/contract'

import { openTabChannel, openLobby, tabLock, type Typed } from './channel.ts'
import type { TabEnvironment } from './environment.ts'
import type { FromLeader, FromTab, LobbyMessage } from './messages.ts'
import { compareVersions, type TabVersion } from './version.ts'

/** What a following tab is notified of. */
interface FollowerEvents {
  /** There is a leader, the first or a new one. `isOlder` if this tab has an older version than the leader. */
  welcomed(backend: RemoteBackend, isOlder: boolean): void
  /** The leader has an older version than this tab, and may not know what this one asks for. */
  older(): void
  /** How many tabs follow the leader, this one included. */
  following(tabs: number): void
  /** Nobody has given a sign of life for long: who leads hangs. Called again as long as that goes on. */
  silent(): void
  readonly watchFailed: (error: PeerplaneError) => void
}

/** What a follower works with. */
export interface FollowerOptions {
  readonly env: TabEnvironment
  readonly space: string
  /** The name of this tab. */
  readonly tab: string
  readonly version: TabVersion
  readonly events: FollowerEvents
}

interface Leader {
  readonly term: number
  readonly client: Client<RemoteBackend>
}

/** Looks for the leading tab of a space, again after each change of leader. */
export class Follower {
  readonly #options: FollowerOptions
  readonly #channel: Typed<FromTab>
  readonly #lobby: Typed<LobbyMessage>
  readonly #stopping = new AbortController()
  /** In beats. Not the same for all: who takes over first is heard by the others. */
  readonly #patience: number
  #leader: Leader | undefined
  #isLooking = true
  #isPresent = false
  #cancelBeat: (() => void) | undefined
  /** Beats since the last sign of life. Time would not do: this tab may have hung itself. */
  #silence = 0

  constructor(options: FollowerOptions) {
    const { env, space, tab } = options
    this.#options = options
    this.#channel = openTabChannel(env, tab, (message) => this.#receive(message))
    this.#lobby = openLobby(env, space, (message) => this.#hear(message))
    this.#patience = limits.tabSilentBeats + (env.random.bytes(1)[0]! % JITTER_BEATS)
    this.#appear()
  }

  /** Follows no longer; what the leader has not answered stays open. */
  stop(): void {
    this.#isPresent = false
    this.#stopping.abort()
    this.#cancelBeat?.()
    this.#lobby.close()
    this.#channel.close()
  }

  /** Nobody may hear of this tab before it holds the lock by which its death is noticed. */
  #appear(): void {
    const { env, tab } = this.#options
    const { signal } = this.#stopping
    env.locks
      .hold(tabLock(tab), signal, () => {
        this.#isPresent = true
        this.#beat()
        return aborted(signal)
      })
      // A browser that gives no more locks is about to end this page.
      .catch((error: unknown) => {
        env.trace?.('upkeep.failed', { what: 'the lock of this tab', code: codeOf(error) })
      })
  }

  #receive(message: FromLeader): void {
    const term = this.#leader?.term ?? -1
    if (message.term < term) return
    this.#silence = 0
    if (message.kind === 'welcome') return this.#welcome(message)
    if (message.term !== term) return
    if (message.kind === 'tabs') this.#options.events.following(message.following)
    else if (message.kind === 'reply') this.#leader?.client.receive(message.reply)
  }

  #welcome({ term, ...welcome }: Extract<FromLeader, { readonly kind: 'welcome' }>): void {
    this.#isLooking = false
    if (term === this.#leader?.term) return
    const { version, events } = this.#options
    const client = new Client<RemoteBackend>({
      contract: backendContract,
      post: (request) => this.#channel.post({ kind: 'request', term, request }),
      refused: events.watchFailed,
    })
    this.#leader = { term, client }
    events.following(welcome.following)
    const order = compareVersions(version, welcome.version)
    if (order > 0) events.older()
    else events.welcomed(client.target, order < 0)
  }

  #hear(message: LobbyMessage): void {
    if (message.kind === 'opening') this.#silence = 0
    if (message.kind !== 'leader' || message.term <= (this.#leader?.term ?? -1)) return
    this.#silence = 0
    this.#isLooking = true
    this.#beat()
  }

  #beat(): void {
    this.#cancelBeat?.()
    if (!this.#isPresent) return
    const { env, tab } = this.#options
    this.#cancelBeat = env.scheduler.after(limits.tabBeatMs, () => this.#listen())
    if (this.#leader && !this.#isLooking) {
      this.#channel.post({ kind: 'ping', term: this.#leader.term })
    }
    // A leader that has gone, or never answered, may have a successor that was not heard.
    if (this.#isLooking || this.#silence > 0) this.#lobby.post({ kind: 'hello', tab })
  }

  #listen(): void {
    this.#silence += 1
    if (this.#silence >= this.#patience) {
      this.#silence = 0
      this.#options.events.silent()
    }
    this.#beat()
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
