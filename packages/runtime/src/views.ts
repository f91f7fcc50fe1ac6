import { splitEntityKey, type EntityKey, type Json } from '@peerplane/core'
import type { ListQuery } from '@peerplane/crdt-store'

import type { Row } from './backend.ts'
import { createEntityViews, type EntityListener } from './entity-views.ts'
import type { HeldSpace } from './held-space.ts'
import type { Ports } from './ports.ts'

type RowsListener = (rows: readonly Row[]) => void

interface WatchedType {
  readonly type: string
  readonly query: ListQuery
  readonly listener: RowsListener
  /** By id; `undefined` until the first listing is here. */
  rows: Map<string, Json> | undefined
  /** Ids that changed since the rows were last shown. */
  readonly changed: Set<string>
  refreshing: boolean
}

/** Keeps listeners up to date with folded states. */
export interface Views {
  watchEntity(key: EntityKey, listener: EntityListener): () => void
  watchType(type: string, query: ListQuery, listener: RowsListener): () => void
  /** Shows these entities soon to whoever watches them. */
  show(keys: readonly EntityKey[]): void
  /** Shows these entities now; resolves when everybody who watches one of them by itself has seen it. */
  showNow(keys: readonly EntityKey[]): Promise<void>
  /** Shows these entities to whoever watches them one by one: their rows have not changed. */
  showSettled(keys: readonly EntityKey[]): void
  /** Shows everything again. */
  showAll(): void
}

/** Views over the states of a space; `pendingOf` counts the commands on an entity that are not durable yet. */
export function createViews(
  space: Pick<HeldSpace, 'entities' | 'atRest'>,
  ports: Pick<Ports, 'clock' | 'scheduler'>,
  pendingOf: (key: EntityKey) => number,
  failed: (error: unknown) => void,
): Views {
  const { entities } = space
  const single = createEntityViews(space, ports, pendingOf)
  const watchedTypes = new Set<WatchedType>()

  const refresh = async (watched: WatchedType): Promise<void> => {
    if (watched.refreshing) return
    watched.refreshing = true
    try {
      while (watched.changed.size > 0 || !watched.rows) {
        if (!watched.rows) {
          watched.changed.clear()
          const rows = await entities.list(watched.type, watched.query)
          watched.rows = new Map(rows.map(({ id, state }) => [id, state]))
        }
        await updateRows(watched, watched.rows)
        if (!watchedTypes.has(watched)) return
      }
      watched.listener(sortedRows(watched.rows, watched.query.limit))
    } finally {
      watched.refreshing = false
    }
  }

  const updateRows = async (watched: WatchedType, rows: Map<string, Json>): Promise<void> => {
    const ids = [...watched.changed]
    watched.changed.clear()
    for (const id of ids) {
      const view = await single.viewOf(`${watched.type}/${id}` as EntityKey)
      if (view.local === 'ready') rows.set(id, view.state)
      else rows.delete(id)
    }
  }

  const showRows = (keys: readonly EntityKey[]): void => {
    for (const key of keys) {
      const { type, id } = splitEntityKey(key)
      for (const watched of watchedTypes) {
        if (watched.type === type && selects(watched.query, id)) watched.changed.add(id)
      }
    }
    for (const watched of watchedTypes) {
      if (watched.changed.size > 0) refresh(watched).catch(failed)
    }
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
        refreshing: false,
      }
      watchedTypes.add(watched)
      refresh(watched).catch(failed)
      return () => {
        watchedTypes.delete(watched)
      }
    },
    show: (keys) => {
      single.show(keys)
      showRows(keys)
    },
    showNow: async (keys) => {
      const shown = single.showNow(keys)
      showRows(keys)
      await shown
    },
    showSettled: single.show,
    showAll: () => {
      single.showAll()
      for (const watched of watchedTypes) {
        watched.rows = undefined
        refresh(watched).catch(failed)
      }
    },
  }
}

const selects = ({ prefix, after }: ListQuery, id: string): boolean =>
  (prefix === undefined || id.startsWith(prefix)) && (after === undefined || id > after)

function sortedRows(rows: ReadonlyMap<string, Json>, limit = Number.POSITIVE_INFINITY): Row[] {
  return [...rows]
    .map(([id, state]) => ({ id, state }))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .slice(0, limit)
}
