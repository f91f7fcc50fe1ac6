import type { EntityKey } from '@peerplane/core'
import type { ListQuery } from '@peerplane/crdt-store'

import { EntityWatches, type EntityListener } from './entity-watches.ts'
import { Reader, type WatchParts } from './reader.ts'
import { TypeWatches, type ListListener } from './type-watches.ts'

/** Keeps listeners up to date with folded states, one by one and in listings. */
export class Watches {
  readonly #single: EntityWatches
  readonly #types: TypeWatches

  constructor(parts: WatchParts) {
    const reader = new Reader(parts)
    this.#single = new EntityWatches(parts, reader)
    this.#types = new TypeWatches(parts, reader)
  }

  watchEntity(key: EntityKey, listener: EntityListener): () => void {
    return this.#single.watch(key, listener)
  }

  watchType(type: string, query: ListQuery, listener: ListListener): () => void {
    return this.#types.watch(type, query, listener)
  }

  /** Shows these entities soon to those who watch them. */
  show(keys: readonly EntityKey[]): void {
    this.#single.show(keys)
    void this.#types.show(keys)
  }

  /** Shows these entities now; resolves when every listener to one of them, or to a listing it is in, was called. */
  async showNow(keys: readonly EntityKey[]): Promise<void> {
    await Promise.all([this.#single.showNow(keys), this.#types.show(keys)])
  }

  /** Resolves when every listener to one of these entities, or to a listing it is in, was called once. */
  async caughtUp(keys: readonly EntityKey[]): Promise<void> {
    await Promise.all([this.#single.caughtUp(keys), this.#types.caughtUp(keys)])
  }

  /** Shows these entities to those who watch them one by one: their rows have not changed. */
  showSettled(keys: readonly EntityKey[]): void {
    this.#single.show(keys)
  }

  /** Shows everything again. */
  showAll(): void {
    this.#single.showAll()
    this.#types.showAll()
  }

  /** Calls no listener from here on. */
  stop(): void {
    this.#single.stop()
    this.#types.stop()
  }
}
