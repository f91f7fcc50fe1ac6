import {
  asPeerplaneError,
  isA,
  PeerplaneError,
  splitEntityKey,
  type EntityKey,
  type EntityState,
  type Json,
} from '@peerplane/core'

import type { Loaded } from '../contract/states.ts'
import type { Ports } from '../ports.ts'
import type { HeldSpace } from '../space/held-space.ts'

/** What watches work with. */
export interface WatchParts {
  readonly space: Pick<HeldSpace, 'entities' | 'atRest' | 'losses'>
  readonly ports: Pick<Ports, 'clock' | 'scheduler' | 'trace'>
  /** Counts the commands on an entity that are not durable yet. */
  readonly pendingOn: (key: EntityKey) => number
  readonly failed: (error: unknown) => void
}

/** Reads entities for watches, all as they are at one moment. */
export class Reader {
  readonly #parts: WatchParts

  constructor(parts: WatchParts) {
    this.#parts = parts
  }

  /** Entities as listeners get them. Never rejects: what cannot be read says why. */
  async load(keys: readonly EntityKey[]): Promise<ReadonlyMap<EntityKey, Loaded>> {
    const opened = await this.#open(keys)
    return new Map([...opened].map(([key, found]) => [key, this.#loaded(key, found)]))
  }

  /** The states of those entities that exist and can be read here. Rejects if one of the others may be readable later. */
  async states(keys: readonly EntityKey[]): Promise<ReadonlyMap<EntityKey, Json>> {
    const states = new Map<EntityKey, Json>()
    for (const [key, found] of await this.#open(keys)) {
      if (isA(PeerplaneError, found)) {
        if (found.retry) throw found
      } else if (found.exists) states.set(key, found.mirror)
    }
    return states
  }

  async #open(
    keys: readonly EntityKey[],
  ): Promise<ReadonlyMap<EntityKey, EntityState | PeerplaneError>> {
    try {
      const states = await this.#parts.space.entities.openAll(keys)
      return new Map(keys.map((key, i) => [key, states[i]!]))
    } catch {
      // Ignored: each says for itself what is wrong.
      return new Map(
        await Promise.all(keys.map(async (key) => [key, await this.#openOne(key)] as const)),
      )
    }
  }

  async #openOne(key: EntityKey): Promise<EntityState | PeerplaneError> {
    try {
      return await this.#parts.space.entities.open(key)
    } catch (cause) {
      const error = asPeerplaneError(cause, 'unreadable')
      const { trace } = this.#parts.ports
      // What is wrong with the entity itself is reported where it is loaded.
      if (error.code !== 'unreadable') {
        trace?.('entity.unreadable', { type: splitEntityKey(key).type, entity: key, error })
      }
      return error
    }
  }

  #loaded(key: EntityKey, found: EntityState | PeerplaneError): Loaded {
    if (isA(PeerplaneError, found)) {
      const { code, message } = found
      return { phase: 'unreadable', problem: { code, message } }
    }
    const { mirror, version, size, hasConflict: conflict = false } = found
    const { pendingOn, space } = this.#parts
    const incomplete = space.entities.isIncomplete(key)
    const pending = pendingOn(key)
    return { phase: 'ready', state: mirror, version, pending, incomplete, conflict, size }
  }
}
