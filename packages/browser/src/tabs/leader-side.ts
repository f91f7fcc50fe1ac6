import { codeOf } from '@peerplane/core'
import { type LocalBackend } from '@peerplane/runtime'
import { backendContract, Server, type RemoteBackend } from '@peerplane/runtime/contract'

import { openLeaderChannel, openLobby, tabLock, type Typed } from './channel.ts'
import type { TabEnvironment } from './environment.ts'
import type { FromLeader, LobbyMessage } from './messages.ts'
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

/** What the leader works with. */
export interface LeaderOptions {
  readonly env: TabEnvironment
  readonly space: string
  readonly leadership: Leadership
  readonly version: TabVersion
  /** Is called with the number of tabs that follow. */
  readonly following: (tabs: number) => void
}

/**
 * Serves a backend to all tabs of a space that follow, as the leader of a term.
 *
 * Each tab holds a lock of its own for as long as it lives. The leader waits for it and gets it when the tab is gone.
 */
export class LeaderSide {
  readonly #options: LeaderOptions
  readonly #lobby: Typed<LobbyMessage>
  readonly #tabs = new Map<string, ServedTab>()
  readonly #stopping = new AbortController()
  /** Tabs that are gone, as long as something of them may be on its way, with what forgets them. */
  readonly #leaving = new Map<ServedTab, () => void>()

  constructor(options: LeaderOptions) {
    this.#options = options
    const { env, space, leadership, following } = options
    this.#lobby = openLobby(env, space, (message) => {
      if (message.kind === 'hello') this.#greet(message.tab)
    })
    this.#lobby.post({ kind: 'leader', term: leadership.term })
    following(0)
  }

  /** Stops answering; what was not answered is asked again of the next leader. */
  stop(): void {
    this.#stopping.abort()
    this.#lobby.close()
    for (const forget of this.#leaving.values()) forget()
    for (const tab of this.#tabs.values()) tab.stop()
    this.#tabs.clear()
  }

  #greet(name: string): void {
    const known = this.#tabs.get(name)
    const tab = known ?? this.#admit(name)
    tab.post({ kind: 'welcome', following: this.#tabs.size, version: this.#options.version })
    if (!known) this.#count()
  }

  #admit(name: string): ServedTab {
    const { env, leadership } = this.#options
    const tab = new ServedTab(env, name, leadership)
    this.#tabs.set(name, tab)
    env.locks
      .hold(tabLock(name), this.#stopping.signal, async () => this.#dismiss(name))
      // A browser that gives no more locks is about to end this page.
      .catch((error: unknown) => {
        env.trace?.('upkeep.failed', { what: 'the lock of another tab', code: codeOf(error) })
        this.#dismiss(name)
      })
    return tab
  }

  #dismiss(name: string): void {
    const tab = this.#tabs.get(name)
    if (!tab) return
    this.#tabs.delete(name)
    tab.endWatches()
    const forget = (): void => {
      cancel()
      this.#leaving.delete(tab)
      tab.stop()
    }
    const cancel = this.#options.env.scheduler.after(LAST_WORDS_MS, forget)
    this.#leaving.set(tab, forget)
    this.#count()
  }

  #count(): void {
    const following = this.#tabs.size
    for (const tab of this.#tabs.values()) tab.post({ kind: 'tabs', following })
    this.#options.following(following)
  }
}

/** A message to a tab, without the term. */
type Message<M = FromLeader> = M extends unknown ? Omit<M, 'term'> : never

/** A tab that follows. */
class ServedTab {
  readonly #term: number
  readonly #channel: Typed<FromLeader>
  readonly #server: Server<RemoteBackend>

  constructor(env: TabEnvironment, name: string, { backend, term }: Leadership) {
    this.#term = term
    this.#channel = openLeaderChannel(env, name, (message) => {
      if (message.term !== term) return
      if (message.kind === 'ping') this.post({ kind: 'alive' })
      else this.#server.receive(message.request)
    })
    this.#server = new Server<RemoteBackend>({
      contract: backendContract,
      target: backend,
      authority: 'manage',
      settled: backend.settled,
      current: { watchStatus: () => backend.status?.() },
      post: (reply) => this.post({ kind: 'reply', reply }),
    })
  }

  post(message: Message): void {
    this.#channel.post({ ...message, term: this.#term })
  }

  /** The tab has died; what it has asked is still done. */
  endWatches(): void {
    this.#server.endWatches()
  }

  stop(): void {
    this.#server.stop()
    this.#channel.close()
  }
}
