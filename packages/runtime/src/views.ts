import { asPeerplaneError, splitEntityKey, type EntityKey, type Json } from '@peerplane/core'
import type { Entities, ListQuery } from '@peerplane/crdt-store'

import type { EntityView, Problem, Row } from './backend.ts'

type EntityListener = (view: EntityView) => void
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
  /** Shows the current state of these entities to whoever watches them. */
  show(keys: readonly EntityKey[]): void
  /** Shows these entities to whoever watches them one by one: their rows have not changed. */
  showSettled(keys: readonly EntityKey[]): void
  /** Shows everything again. */
  showAll(): void
}

/** Views over `entities`; `pendingOf` counts the commands on an entity that are not durable yet. */
export function createViews(
  entities: Entities,
  pendingOf: (key: EntityKey) => number,
  failed: (error: unknown) => void,
): Views {
  const watchedEntities = new Map<EntityKey, Set<EntityListener>>()
  const watchedTypes = new Set<WatchedType>()

  const viewOf = async (key: EntityKey): Promise<EntityView> => {
    try {
      const { mirror, version } = await entities.open(key)
      const pendingCommands = pendingOf(key)
      return { local: 'ready', state: mirror, version, pendingCommands, lastError: undefined }
    } catch (error) {
      return unreadableView(asPeerplaneError(error, 'unreadable'))
    }
  }

  const showEntity = async (key: EntityKey): Promise<void> => {
    const view = await viewOf(key)
    for (const listener of watchedEntities.get(key) ?? []) listener(view)
  }

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
      const view = await viewOf(`${watched.type}/${id}` as EntityKey)
      if (view.local === 'ready') rows.set(id, view.state)
      else rows.delete(id)
    }
  }

  const show = (keys: readonly EntityKey[]): void => {
    for (const key of keys) {
      if (watchedEntities.has(key)) showEntity(key).catch(failed)
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
    watchEntity: (key, listener) => {
      const listeners = watchedEntities.get(key) ?? new Set()
      const own: EntityListener = (view) => listener(view)
      if (listeners.size === 0) {
        entities.pin(key)
        watchedEntities.set(key, listeners)
      }
      listeners.add(own)
      viewOf(key)
        .then((view) => {
          if (listeners.has(own)) own(view)
        })
        .catch(failed)
      return () => {
        if (!listeners.delete(own) || listeners.size > 0) return
        watchedEntities.delete(key)
        entities.unpin(key)
      }
    },
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
    show,
    showSettled: (keys) => {
      for (const key of keys) if (watchedEntities.has(key)) showEntity(key).catch(failed)
    },
    showAll: () => {
      for (const key of watchedEntities.keys()) showEntity(key).catch(failed)
      for (const watched of watchedTypes) {
        watched.rows = undefined
        refresh(watched).catch(failed)
      }
    },
  }
}

function unreadableView(problem: Problem): EntityView {
  const { code, message } = problem
  const lastError = { code, message }
  return { local: 'unreadable', state: null, version: '', pendingCommands: 0, lastError }
}

const selects = ({ prefix, after }: ListQuery, id: string): boolean =>
  (prefix === undefined || id.startsWith(prefix)) && (after === undefined || id > after)

function sortedRows(rows: ReadonlyMap<string, Json>, limit = Number.POSITIVE_INFINITY): Row[] {
  return [...rows]
    .map(([id, state]) => ({ id, state }))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .slice(0, limit)
}
