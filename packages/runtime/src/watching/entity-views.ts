import { asPeerplaneError, splitEntityKey, type EntityKey, type EntityState } from '@peerplane/core'

import type { EntityView } from '../contract/backend.ts'
import type { HeldSpace } from '../space/held-space.ts'
import { paced } from './pace.ts'
import type { Ports } from '../ports.ts'

/** From a failed reading to the next. */
const RETRY_MS = 1_000

/** Is told how an entity is. */
export type EntityListener = (view: EntityView) => void

/** What shows entities to whoever watches them one by one. */
export interface EntityViews {
  readonly watch: (key: EntityKey, listener: EntityListener) => () => void
  /** Shows these entities soon. */
  readonly show: (keys: readonly EntityKey[]) => void
  /** Shows these entities now; resolves when everybody who watches one of them has seen it. */
  showNow(keys: readonly EntityKey[]): Promise<void>
  /** Resolves when everybody who watches one of these entities has seen it once. */
  caughtUp(keys: readonly EntityKey[]): Promise<void>
  showAll(): void
  /** Shows nothing any more. */
  stop(): void
  /** These entities as they are now, in the order of the keys. */
  viewsOf(keys: readonly EntityKey[]): Promise<readonly EntityView[]>
}

/**
 * Shows all changed entities together, as they are at one moment: whoever watches several never sees one of them show an effect and another
 * not yet its cause, nor half of an atomic commit.
 */
export function createEntityViews(
  space: Pick<HeldSpace, 'entities' | 'atRest' | 'losses'>,
  { clock, scheduler, trace }: Pick<Ports, 'clock' | 'scheduler' | 'trace'>,
  pendingOf: (key: EntityKey) => number,
  failed: (error: unknown) => void,
): EntityViews {
  const { entities } = space
  const watched = new Map<EntityKey, Set<EntityListener>>()
  const changed = new Set<EntityKey>()
  /** Listeners that have not been told anything. */
  const fresh = new Map<EntityListener, EntityKey>()

  const toView = ({ mirror, version }: EntityState, key: EntityKey): EntityView => ({
    local: 'ready',
    state: mirror,
    version,
    pendingCommands: pendingOf(key),
    lastError: undefined,
  })

  const open = async (keys: readonly EntityKey[]): Promise<Map<EntityKey, EntityView>> => {
    try {
      const states = await entities.openAll(keys)
      return new Map(keys.map((key, i) => [key, toView(states[i]!, key)]))
    } catch {
      // Ignored: each says for itself what is wrong.
      return new Map(await Promise.all(keys.map(async (key) => [key, await openOne(key)] as const)))
    }
  }

  const openOne = async (key: EntityKey): Promise<EntityView> => {
    try {
      return toView(await entities.open(key), key)
    } catch (error) {
      const { code, message } = asPeerplaneError(error, 'unreadable')
      // What is wrong with the entity itself is reported by who loads it.
      if (code !== 'unreadable') {
        trace?.('entity.unreadable', { type: splitEntityKey(key).type, entity: key, error })
      }
      const lastError = { code, message }
      return { local: 'unreadable', state: null, version: '', pendingCommands: 0, lastError }
    }
  }

  /** Says whether it was shown. */
  const showChanged = async (): Promise<boolean> => {
    const keys = new Set<EntityKey>()
    let views = new Map<EntityKey, EntityView>()
    const losses = space.losses()
    // A command may append while entities are opened; what it changed is shown with the rest.
    do {
      for (const key of changed) if (watched.has(key)) keys.add(key)
      changed.clear()
      views = await open([...new Set([...keys, ...fresh.values()])])
    } while (changed.size > 0)
    // Commits were lost meanwhile: what was opened may lack others that are still to be folded again.
    if (space.losses() !== losses) {
      request([...keys])
      return false
    }
    const first = [...fresh]
    fresh.clear()
    for (const [listener, key] of first) {
      const view = views.get(key)
      if (view && watched.get(key)?.has(listener)) tell(listener, view)
      else if (!view) fresh.set(listener, key)
    }
    const told = new Set(first.map(([listener]) => listener))
    for (const key of keys) {
      for (const listener of watched.get(key) ?? []) {
        if (!told.has(listener) && !fresh.has(listener)) tell(listener, views.get(key)!)
      }
    }
    if (fresh.size > 0) pace.ask()
    const unread = [...views].filter(([, { lastError }]) => lastError?.code.startsWith('store-'))
    if (unread.length > 0) {
      scheduler.after(RETRY_MS, () => {
        if (request(unread.map(([key]) => key))) pace.ask()
      })
    }
    return true
  }

  const showTimed = async (): Promise<number | undefined> => {
    const started = clock.now()
    return (await showChanged()) ? clock.now() - started : undefined
  }

  const pace = paced(clock, scheduler, async () => {
    try {
      for (;;) {
        const costMs = await space.atRest(showTimed)
        if (costMs !== undefined) return costMs
      }
    } catch (error) {
      failed(error)
      return 0
    }
  })

  const request = (keys: readonly EntityKey[]): boolean => {
    const relevant = keys.filter((key) => watched.has(key))
    for (const key of relevant) changed.add(key)
    return relevant.length > 0
  }

  return {
    watch: (key, listener) => {
      const own: EntityListener = (view) => listener(view)
      const listeners = watched.get(key) ?? new Set()
      watched.set(key, listeners)
      listeners.add(own)
      entities.pin(key)
      fresh.set(own, key)
      void pace.insist()
      return () => {
        if (!listeners.delete(own)) return
        entities.unpin(key)
        fresh.delete(own)
        if (listeners.size === 0) watched.delete(key)
      }
    },
    show: (keys) => {
      if (request(keys)) pace.ask()
    },
    showNow: async (keys) => {
      if (request(keys)) await pace.insist()
    },
    caughtUp: async (keys) => {
      const waiting = new Set(fresh.values())
      if (keys.some((key) => waiting.has(key))) await pace.insist()
    },
    showAll: () => {
      if (request([...watched.keys()])) pace.ask()
    },
    stop: () => {
      watched.clear()
      fresh.clear()
      changed.clear()
    },
    viewsOf: async (keys) => {
      const views = await open(keys)
      return keys.map((key) => views.get(key)!)
    },
  }
}

/** An error of an application's listener surfaces as an unhandled rejection, and keeps nobody else from being told. */
function tell(listener: EntityListener, view: EntityView): void {
  try {
    listener(view)
  } catch (error) {
    void Promise.reject(error)
  }
}
