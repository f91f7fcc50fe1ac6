import { entityKey, splitEntityKey, type EntityKey, type Json } from '@peerplane/core'
import { inListOrder, isListed, type ListQuery } from '@peerplane/crdt-store'

import type { Row } from '../contract/backend.ts'
import { createEntityViews, type EntityListener } from './entity-views.ts'
import type { HeldSpace } from '../space/held-space.ts'
import type { Ports } from '../ports.ts'

/** From a failed reading to the next. */
const RETRY_MS = 1_000

/** Of the changed entities of a type. */
const OPEN_AT_ONCE = 256

type RowsListener = (rows: readonly Row[]) => void

interface WatchedType {
  readonly type: string
  readonly query: ListQuery
  readonly listener: RowsListener
  /** By id; `undefined` until the first listing is here. */
  rows: Map<string, Json> | undefined
  /** Ids that changed since the rows were last shown. */
  readonly changed: Set<string>
  /** While it is being shown: resolves when everything that changed until then was, or could not be read. */
  refreshing: Promise<void> | undefined
}

/** Keeps listeners up to date with folded states. */
export interface Views {
  readonly watchEntity: (key: EntityKey, listener: EntityListener) => () => void
  watchType(type: string, query: ListQuery, listener: RowsListener): () => void
  /** Shows these entities soon to whoever watches them. */
  show(keys: readonly EntityKey[]): void
  /** Shows these entities now; resolves when everybody who watches one of them, or a listing it is in, has seen it. */
  showNow(keys: readonly EntityKey[]): Promise<void>
  /** Resolves when everybody who watches one of these entities, or a listing it is in, has seen it once. */
  caughtUp(keys: readonly EntityKey[]): Promise<void>
  /** Shows these entities to whoever watches them one by one: their rows have not changed. */
  readonly showSettled: (keys: readonly EntityKey[]) => void
  /** Shows everything again. */
  showAll(): void
  /** Shows nothing any more. */
  stop(): void
}

/** Views over the states of a space; `pendingOf` counts the commands on an entity that are not durable yet. */
export function createViews(
  space: Pick<HeldSpace, 'entities' | 'atRest' | 'losses'>,
  ports: Pick<Ports, 'clock' | 'scheduler' | 'trace'>,
  pendingOf: (key: EntityKey) => number,
  failed: (error: unknown) => void,
): Views {
  const { entities } = space
  const { scheduler } = ports
  const single = createEntityViews(space, ports, pendingOf, failed)
  const watchedTypes = new Set<WatchedType>()

  const refresh = (watched: WatchedType): Promise<void> =>
    (watched.refreshing ??= showUntilDone(watched))

  const showUntilDone = async (watched: WatchedType): Promise<void> => {
    try {
      do await showChanged(watched)
      while (watchedTypes.has(watched) && (!watched.rows || watched.changed.size > 0))
    } catch (error) {
      failed(error)
      scheduler.after(RETRY_MS, () => {
        if (watchedTypes.has(watched)) void refresh(watched)
      })
    } finally {
      watched.refreshing = undefined
    }
  }

  const showChanged = async (watched: WatchedType): Promise<void> => {
    let rows: readonly Row[] | undefined
    while (!rows && watchedTypes.has(watched)) {
      // Nothing is folded meanwhile, so that no commit shows in one row and not in another.
      rows = await space.atRest(async () => {
        const losses = space.losses()
        do await update(watched)
        while (watched.changed.size > 0 || !watched.rows)
        if (space.losses() === losses) {
          const shown = inListOrder(
            [...watched.rows].map(([id, state]) => ({ id, state })),
            watched.query.limit,
          )
          watched.rows = byId(shown)
          return shown
        }
        // Commits were lost meanwhile: what was opened may lack others that are still to be folded again.
        watched.rows = undefined
        return undefined
      })
    }
    if (rows && watchedTypes.has(watched)) watched.listener(rows)
  }

  const update = async (watched: WatchedType): Promise<void> => {
    const { type, query, changed } = watched
    if (!watched.rows) {
      changed.clear()
      watched.rows = byId(await entities.list(type, query))
    }
    const { rows } = watched
    while (changed.size > 0) {
      const ids = [...changed].slice(0, OPEN_AT_ONCE)
      for (const id of ids) changed.delete(id)
      const views = await single.viewsOf(ids.map((id) => entityKey(type, id)))
      ids.forEach((id, i) => {
        const view = views[i]!
        if (view.local === 'ready') rows.set(id, view.state)
        // Another row moves up, which is not here.
        else if (rows.delete(id) && query.limit !== undefined) watched.rows = undefined
      })
    }
  }

  const listingsOf = (key: EntityKey): WatchedType[] => {
    const { type, id } = splitEntityKey(key)
    return [...watchedTypes].filter(
      (watched) => watched.type === type && isListed(watched.query, id),
    )
  }
  const showRows = async (keys: readonly EntityKey[]): Promise<void> => {
    const affected = new Set<WatchedType>()
    for (const key of keys) {
      for (const watched of listingsOf(key)) {
        watched.changed.add(splitEntityKey(key).id)
        affected.add(watched)
      }
    }
    await Promise.all([...affected].map(refresh))
  }

  return {
    watchEntity: single.watch,
    watchType: (type, query, listener) => {
      const watched: WatchedType = {
        type,
        query,
        listener,
        rows: undefined,
        changed: new Set(),
        refreshing: undefined,
      }
      watchedTypes.add(watched)
      void refresh(watched)
      return () => {
        watchedTypes.delete(watched)
      }
    },
    show: (keys) => {
      single.show(keys)
      void showRows(keys)
    },
    showNow: async (keys) => {
      await Promise.all([single.showNow(keys), showRows(keys)])
    },
    caughtUp: async (keys) => {
      const listings = keys.flatMap(listingsOf).map(({ refreshing }) => refreshing)
      await Promise.all([single.caughtUp(keys), ...listings])
    },
    showSettled: single.show,
    showAll: () => {
      single.showAll()
      for (const watched of watchedTypes) {
        watched.rows = undefined
        void refresh(watched)
      }
    },
    stop: () => {
      single.stop()
      watchedTypes.clear()
    },
  }
}

const byId = (rows: readonly Row[]): Map<string, Json> =>
  new Map(rows.map(({ id, state }) => [id, state]))
