import { toBase64Url, type Service } from '@peerplane/core'

import { leaderLock, openLobby } from './channel.ts'
import type { TabEnvironment } from './environment.ts'
import { Follower } from './follower.ts'
import { LeaderSide, type Leadership } from './leader-side.ts'
import type { SteadyBackend } from './steady-backend.ts'
import type { Before } from './steady-status.ts'
import type { TabVersion } from './version.ts'

/** The status of this tab among the tabs that have the same space open. */
export interface TabsStatus {
  /** The leader owns the storage and the network; followers use them through the leader. */
  readonly role: 'leader' | 'follower'
  /** The number of other tabs of this browser profile that share the replica. */
  readonly others: number
  /** Whether the leading tab runs a newer version of the application than this tab. Reloading the page loads the newer version in this tab. */
  readonly outdated: boolean
}

/**
 * Opens the runtime of this tab, which continues from what is known `before` about earlier runtimes. The runtime takes the store from the tab that
 * has it open; that tab writes nothing from then on. `taken` is called as soon as another tab is found to have taken the store.
 */
export type Lead = (before: Before, taken: () => void) => Promise<Leadership>

/** Functions that are called as a stay proceeds. */
export interface StayEvents {
  /** This tab has got the lock to lead; it opens its runtime. */
  leading(): void
  /** Requests have a target: the runtime of this tab or of another one. */
  attached(): void
  tabs(status: TabsStatus): void
  /** Another tab leads instead of this one, which did not answer for a while. This tab no longer takes part. */
  replaced(): void
  /** The space is being erased. */
  erased(): void
  /** This tab could not lead, and no longer takes part. */
  failed(error: unknown): void
}

/**
 * Lets this tab take part: the tab follows the leader, waits for the lock to lead, and gives `steady` its targets.
 *
 * Stopping the stay resolves when the store is closed and another tab may lead, or rejects with the error of closing the store.
 */
export function beginStay(
  env: TabEnvironment,
  space: string,
  version: TabVersion,
  lead: Lead,
  steady: SteadyBackend,
  events: StayEvents,
): Service {
  const leaving = new AbortController()
  const queueing = new AbortController()
  // A name of its own for each stay, so that a tab that comes back is not mistaken for one that is just being dismissed.
  const tab = toBase64Url(env.random.bytes(16))
  let leads = false

  const term = async (lost: AbortSignal): Promise<void> => {
    // Queued for the lock, which was stolen meanwhile.
    if (leads || leaving.signal.aborted) return
    leads = true
    follower.stop()
    steady.attach(undefined)
    env.trace?.('tab.leads', {})
    events.leading()
    const ends = [leaving.signal, lost] as const
    if (await reign(env, space, version, lead, steady, events, ends)) return
    if (!leaving.signal.aborted) events.replaced()
  }
  const until = (held: Promise<void>): Promise<void> => {
    held.catch((error: unknown) => {
      if (!leaving.signal.aborted) events.failed(error)
    })
    return held
  }
  let outdated = false
  const takeOver = (why: 'silent' | 'older'): void => {
    if (leads) return
    env.trace?.('tab.takes-over', { why })
    queueing.abort()
    terms.push(until(env.locks.steal(leaderLock(space), term)))
  }
  const follower = new Follower({
    env,
    space,
    tab,
    version,
    events: {
      welcomed: (backend, isOlder) => {
        outdated = isOlder
        env.trace?.('tab.follows', { outdated })
        steady.attach({ backend, local: false })
        events.attached()
      },
      // What is asked meanwhile waits for this tab, which knows it.
      older: () => takeOver('older'),
      following: (others) => events.tabs({ role: 'follower', others, outdated }),
      silent: () => takeOver('silent'),
      watchFailed: (error) => steady.failed(error),
    },
  })
  const lobby = openLobby(env, space, ({ kind }) => {
    if (kind === 'erased') events.erased()
  })
  const queued = AbortSignal.any([leaving.signal, queueing.signal])
  const terms = [until(env.locks.hold(leaderLock(space), queued, term))]

  return {
    stop: async () => {
      leaving.abort()
      lobby.close()
      follower.stop()
      steady.attach(undefined)
      await Promise.all(terms)
    },
  }
}

/** Leads until one of `ends` aborts, or until another tab takes the store. If another tab takes the store, resolves with false. */
async function reign(
  env: TabEnvironment,
  space: string,
  version: TabVersion,
  lead: Lead,
  steady: SteadyBackend,
  events: StayEvents,
  [leaving, lost]: readonly [AbortSignal, AbortSignal],
): Promise<boolean> {
  const taken = new AbortController()
  const replaced = AbortSignal.any([lost, taken.signal])
  const ended = AbortSignal.any([leaving, replaced])
  const lobby = openLobby(env, space, ({ kind }) => {
    if (kind === 'hello' && !serves) lobby.post({ kind: 'opening' })
  })
  let serves = false
  lobby.post({ kind: 'opening' })
  try {
    do {
      const leadership = await lead(steady.before(), () => taken.abort())
      try {
        if (!ended.aborted) {
          const side = new LeaderSide({
            env,
            space,
            leadership,
            version,
            following: (others) => events.tabs({ role: 'leader', others, outdated: false }),
          })
          serves = true
          steady.attach({ backend: leadership.backend, local: true })
          events.attached()
          await endOf(ended, leadership, () => {
            serves = false
            side.stop()
            steady.attach(undefined)
          })
        }
      } finally {
        // The lock is given back only once nothing of this tab can reach the store.
        await leadership.backend.close()
      }
    } while (!ended.aborted)
  } catch (error) {
    if (!replaced.aborted) throw error
  } finally {
    lobby.close()
  }
  return !replaced.aborted
}

/** Resolves when `ended` aborts or the replica is over. At once, in that turn, `stop` is called: what is answered later is asked again. */
function endOf(ended: AbortSignal, { over }: Leadership, stop: () => void): Promise<void> {
  return new Promise((resolve) => {
    let stopped = false
    const end = (): void => {
      if (stopped) return
      stopped = true
      stop()
      resolve()
    }
    if (ended.aborted) end()
    else ended.addEventListener('abort', end, { once: true })
    void over?.then(end)
  })
}
