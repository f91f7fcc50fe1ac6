import { asPeerplaneError, type EntityKey, type EntityState } from '@peerplane/core'

import type { EntityView } from './backend.ts'
import type { HeldSpace } from './held-space.ts'
import { paced } from './pace.ts'
import type { Ports } from './ports.ts'

/** Is told how an entity is. */
export type EntityListener = (view: EntityView) => void

/** What shows entities to whoever watches them one by one. */
export interface EntityViews {
  watch(key: EntityKey, listener: EntityListener): () => void
  /** Shows these entities soon. */
  show(keys: readonly EntityKey[]): void
  /** Shows these entities now; resolves when everybody who watches one of them has seen it. */
  showNow(keys: readonly EntityKey[]): Promise<void>
  showAll(): void
  /** The entity as it is now. */
  viewOf(key: EntityKey): Promise<EntityView>
}

/**
 * Shows all changed entities together, as they are at one moment: whoever watches several never sees one of them show an effect and another
 * not yet its cause, nor half of an atomic commit.
 */
export function createEntityViews(
  space: Pick<HeldSpace, 'entities' | 'atRest'>,
  { clock, scheduler }: Pick<Ports, 'clock' | 'scheduler'>,
  pendingOf: (key: EntityKey) => number,
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
      return new Map(await Promise.all(keys.map(async (key) => [key, await openOne(key)] as const)))
    }
  }

  const openOne = async (key: EntityKey): Promise<EntityView> => {
    try {
      return toView(await entities.open(key), key)
    } catch (error) {
      const { code, message } = asPeerplaneError(error, 'unreadable')
      const lastError = { code, message }
      return { local: 'unreadable', state: null, version: '', pendingCommands: 0, lastError }
    }
  }

  const showChanged = async (): Promise<void> => {
    const keys = new Set<EntityKey>()
    let views = new Map<EntityKey, EntityView>()
    // A command may append while entities are opened; what it changed is shown with the rest.
    do {
      for (const key of changed) if (watched.has(key)) keys.add(key)
      changed.clear()
      views = await open([...new Set([...keys, ...fresh.values()])])
    } while (changed.size > 0)
    const first = [...fresh]
    fresh.clear()
    for (const [listener, key] of first) {
      const view = views.get(key)
      if (view && watched.get(key)?.has(listener)) listener(view)
      else if (!view) fresh.set(listener, key)
    }
    const told = new Set(first.map(([listener]) => listener))
    for (const key of keys) {
      for (const listener of watched.get(key) ?? []) {
        if (!told.has(listener) && !fresh.has(listener)) listener(views.get(key)!)
      }
    }
    if (fresh.size > 0) pace.ask()
  }

  const pace = paced(clock, scheduler, () => space.atRest(showChanged))

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
    showAll: () => {
      if (request([...watched.keys()])) pace.ask()
    },
    viewOf: async (key) => {
      await space.atRest(() => Promise.resolve())
      return openOne(key)
    },
  }
}
