import { toBase64Url } from '@peerplane/core'
import type { Backend } from '@peerplane/runtime'

import { leaderLock } from './channel.ts'
import type { TabEnvironment } from './environment.ts'
import { aborted, follow } from './follower.ts'
import { serveTabs } from './leader-side.ts'
import type { SteadyBackend } from './steady-backend.ts'

/** How this tab stands to the other tabs of its space. */
export interface TabsStatus {
  /** Whether this tab owns storage and network, or uses those of another tab. */
  readonly role: 'leader' | 'follower'
  /** How many other tabs of this browser profile share the replica. */
  readonly others: number
}

/** Opens the runtime of this tab. `online` is what the application wanted last, if a tab that led before has said. */
export type Lead = (online: boolean | undefined) => Promise<Backend>

/** What is told of a stay. */
export interface StayEvents {
  /** It is the turn of this tab; it opens its runtime. */
  leading(): void
  /** Requests have a target: the runtime of this tab or of another one. */
  attached(): void
  tabs(status: TabsStatus): void
  /** This tab could not lead, and no longer takes part. */
  failed(error: unknown): void
}

/**
 * Lets this tab take part: it follows whoever leads and stands in line to lead, and gives `steady` its targets.
 *
 * The returned function ends that; it resolves when the store is closed and another tab may lead, or rejects as closing it does.
 */
export function beginStay(
  env: TabEnvironment,
  space: string,
  lead: Lead,
  steady: SteadyBackend,
  events: StayEvents,
): () => Promise<void> {
  const leaving = new AbortController()
  // A name of its own for each stay, so that a tab that comes back is not taken for one that is just being dismissed.
  const tab = toBase64Url(env.random.bytes(16))
  const stopFollowing = follow(env, space, tab, {
    welcomed: (backend) => {
      steady.attach({ backend, local: false })
      events.attached()
    },
    following: (others) => events.tabs({ role: 'follower', others }),
    watchFailed: steady.failed,
  })

  const reign = async (backend: Backend): Promise<void> => {
    const side = serveTabs(env, space, backend, (others) => events.tabs({ role: 'leader', others }))
    steady.attach({ backend, local: true })
    events.attached()
    await aborted(leaving.signal)
    side.stop()
    steady.detach()
  }
  const term = env.locks.hold(leaderLock(space), leaving.signal, async () => {
    stopFollowing()
    steady.detach()
    events.leading()
    const backend = await lead(steady.online())
    try {
      if (!leaving.signal.aborted) await reign(backend)
    } finally {
      // The lock is given back only when nothing of this tab can reach the store any more.
      await backend.close()
    }
  })
  term.catch((error: unknown) => {
    if (!leaving.signal.aborted) events.failed(error)
  })
  return () => {
    leaving.abort()
    stopFollowing()
    steady.detach()
    return term
  }
}
