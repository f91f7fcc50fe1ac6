import {
  asPeerplaneError,
  entityKey,
  splitEntityKey,
  type EntityKey,
  type Json,
} from '@peerplane/core'
import { inListOrder, isListed, type ListQuery } from '@peerplane/crdt-store'

import type { ListedEntity } from '../contract/states.ts'
import type { Reader, WatchParts } from './reader.ts'

/** From a failed reading to the next. */
const RETRY_MS = 1_000

/** Of the changed entities of a type. */
const OPEN_AT_ONCE = 256

/** How long an entity that has put work off keeps its own listing waiting before everything else waits for it. */
const PATIENCE_MS = 1_000

/** Is called with a listing. */
export type ListListener = (rows: readonly ListedEntity[]) => void

interface WatchedType {
  readonly type: string
  readonly query: ListQuery
  readonly listener: ListListener
  /** By id; `undefined` until the first listing is here. */
  rows: Map<string, Json> | undefined
  /** Ids that changed since the rows were last shown. */
  readonly changed: Set<string>
  /** While it is being shown: resolves when everything that changed until then was, or could not be read. */
  refreshing: Promise<void> | undefined
}

/** Shows listings to those who watch them. */
export class TypeWatches {
  readonly #parts: WatchParts
  readonly #reader: Reader
  readonly #watched = new Set<WatchedType>()

  constructor(parts: WatchParts, reader: Reader) {
    this.#parts = parts
    this.#reader = reader
  }

  watch(type: string, query: ListQuery, listener: ListListener): () => void {
    const watched: WatchedType = {
      type,
      query,
      listener,
      rows: undefined,
      changed: new Set(),
      refreshing: undefined,
    }
    this.#watched.add(watched)
    void this.#refresh(watched)
    return () => {
      this.#watched.delete(watched)
    }
  }

  /** Shows the listings that these entities are in; resolves when they were shown. */
  async show(keys: readonly EntityKey[]): Promise<void> {
    const affected = new Set<WatchedType>()
    for (const key of keys) {
      for (const watched of this.#listingsOf(key)) {
        watched.changed.add(splitEntityKey(key).id)
        affected.add(watched)
      }
    }
    await Promise.all([...affected].map((watched) => this.#refresh(watched)))
  }

  /** Resolves when every listener to a listing that one of these entities is in was called once. */
  async caughtUp(keys: readonly EntityKey[]): Promise<void> {
    const listings = keys.flatMap((key) => this.#listingsOf(key))
    await Promise.all(listings.map(({ refreshing }) => refreshing ?? Promise.resolve()))
  }

  showAll(): void {
    for (const watched of this.#watched) {
      watched.rows = undefined
      void this.#refresh(watched)
    }
  }

  /** Calls no listener from here on. */
  stop(): void {
    this.#watched.clear()
  }

  #listingsOf(key: EntityKey): WatchedType[] {
    const { type, id } = splitEntityKey(key)
    return [...this.#watched].filter(
      (watched) => watched.type === type && isListed(watched.query, id),
    )
  }

  #refresh(watched: WatchedType): Promise<void> {
    return (watched.refreshing ??= this.#showUntilDone(watched))
  }

  async #showUntilDone(watched: WatchedType): Promise<void> {
    const { ports, failed } = this.#parts
    try {
      do await this.#showChanged(watched)
      while (this.#watched.has(watched) && (!watched.rows || watched.changed.size > 0))
    } catch (error) {
      failed(error)
      if (!asPeerplaneError(error, 'store-failed').retry) return
      ports.scheduler.after(RETRY_MS, () => {
        if (this.#watched.has(watched)) void this.#refresh(watched)
      })
    } finally {
      watched.refreshing = undefined
    }
  }

  async #showChanged(watched: WatchedType): Promise<void> {
    let rows: readonly ListedEntity[] | undefined
    const { space, ports } = this.#parts
    const end = ports.clock.now() + PATIENCE_MS
    const keys = [...watched.changed].map((id) => entityKey(watched.type, id))
    await space.entities.workOff(keys, () => ports.clock.now() < end && this.#watched.has(watched))
    while (!rows && this.#watched.has(watched)) {
      // Nothing is folded meanwhile, so that no commit shows in one row and not in another.
      rows = await space.atRest(() => this.#listed(watched))
    }
    if (rows && this.#watched.has(watched)) watched.listener(rows)
  }

  /** The listing as it is now; `undefined` if commits were lost meanwhile. */
  async #listed(watched: WatchedType): Promise<readonly ListedEntity[] | undefined> {
    const { space } = this.#parts
    const losses = space.losses()
    do await this.#update(watched)
    while (watched.changed.size > 0 || !watched.rows)
    if (space.losses() !== losses) {
      // What was opened may lack other commits that are still to be folded again.
      watched.rows = undefined
      return undefined
    }
    const rows = [...watched.rows].map(([id, state]) => ({ id, state }))
    const shown = inListOrder(rows, watched.query.limit)
    watched.rows = byId(shown)
    return shown
  }

  async #update(watched: WatchedType): Promise<void> {
    const { type, query, changed } = watched
    if (!watched.rows) {
      changed.clear()
      watched.rows = byId(await this.#parts.space.entities.list(type, query))
    }
    const { rows } = watched
    while (changed.size > 0) {
      const ids = [...changed].slice(0, OPEN_AT_ONCE)
      for (const id of ids) changed.delete(id)
      const states = await this.#statesOf(watched, ids)
      for (const id of ids) {
        const state = states.get(entityKey(type, id))
        if (state !== undefined) rows.set(id, state)
        // Another row moves up, which is not here.
        else if (rows.delete(id) && query.limit !== undefined) watched.rows = undefined
      }
    }
  }

  async #statesOf(
    { type, changed }: WatchedType,
    ids: readonly string[],
  ): Promise<ReadonlyMap<EntityKey, Json>> {
    try {
      return await this.#reader.states(ids.map((id) => entityKey(type, id)))
    } catch (error) {
      // They are yet to be shown: the next reading begins with them.
      for (const id of ids) changed.add(id)
      throw error
    }
  }
}

const byId = (rows: readonly ListedEntity[]): Map<string, Json> =>
  new Map(rows.map(({ id, state }) => [id, state]))
