import { canPass, type EntityKey } from '@peerplane/core'

import type { Loaded } from '../contract/states.ts'
import { paced, type Pace } from './pace.ts'
import type { Reader, WatchParts } from './reader.ts'

/** From a failed reading to the next. */
const RETRY_MS = 1_000

/** How long all others wait for an entity that has put work off. */
const PATIENCE_MS = 100

/** Is called with an entity. */
export type EntityListener = (entity: Loaded) => void

/**
 * Shows single entities to those who watch them. All that have changed are shown together, as they are at one moment: a listener to several
 * never sees one of them show an effect and another not yet its cause, nor half of an atomic commit. An entity that takes longer to fold is
 * late: the others are shown without it, so nobody can delay them by writing to an entity what is costly to fold.
 */
export class EntityWatches {
  readonly #parts: WatchParts
  readonly #reader: Reader
  readonly #pace: Pace
  readonly #watched = new Map<EntityKey, Set<EntityListener>>()
  readonly #changed = new Set<EntityKey>()
  /** Entities that are shown before a promise resolves: they are never late. */
  readonly #insisted = new Set<EntityKey>()
  /** Entities that others do not wait for: they are shown when they have done what they have put off. */
  readonly #late = new Set<EntityKey>()
  /** Listeners that were not called yet. */
  readonly #fresh = new Map<EntityListener, EntityKey>()

  constructor(parts: WatchParts, reader: Reader) {
    this.#parts = parts
    this.#reader = reader
    this.#pace = paced(parts.ports.clock, parts.ports.scheduler, () => this.#showAtRest())
  }

  watch(key: EntityKey, listener: EntityListener): () => void {
    const own: EntityListener = (entity) => listener(entity)
    const listeners = this.#watched.get(key) ?? new Set()
    this.#watched.set(key, listeners)
    listeners.add(own)
    const { entities } = this.#parts.space
    entities.pin(key)
    this.#fresh.set(own, key)
    void this.#pace.insist()
    return () => {
      if (!listeners.delete(own)) return
      entities.unpin(key)
      this.#fresh.delete(own)
      if (listeners.size === 0) this.#watched.delete(key)
    }
  }

  /** Shows these entities soon. */
  show(keys: readonly EntityKey[]): void {
    if (this.#request(keys)) this.#pace.ask()
  }

  /** Shows these entities now; resolves when every listener to one of them was called. */
  async showNow(keys: readonly EntityKey[]): Promise<void> {
    if (this.#request(keys)) await this.#insist(keys)
  }

  /** Resolves when every listener to one of these entities was called once. */
  async caughtUp(keys: readonly EntityKey[]): Promise<void> {
    const waiting = new Set(this.#fresh.values())
    const fresh = keys.filter((key) => waiting.has(key))
    if (fresh.length > 0) await this.#insist(fresh)
  }

  showAll(): void {
    this.show([...this.#watched.keys()])
  }

  /** Calls no listener from here on. */
  stop(): void {
    this.#watched.clear()
    this.#fresh.clear()
    this.#changed.clear()
    this.#insisted.clear()
  }

  async #insist(keys: readonly EntityKey[]): Promise<void> {
    for (const key of keys) this.#insisted.add(key)
    await this.#pace.insist()
  }

  /** Marks what is watched of these entities as changed; says whether anything is. */
  #request(keys: readonly EntityKey[]): boolean {
    const relevant = keys.filter((key) => this.#watched.has(key))
    for (const key of relevant) this.#changed.add(key)
    return relevant.length > 0
  }

  /** Shows what has changed; resolves to the milliseconds it took. */
  async #showAtRest(): Promise<number> {
    const { space, failed } = this.#parts
    const showTimed = (): Promise<number | undefined> => this.#showTimed()
    try {
      // What is worked off counts too: the more that costs, the more changes are worked off together the next time.
      for (let workedMs = 0; ;) {
        workedMs += await this.#workOff()
        const costMs = await space.atRest(showTimed)
        if (costMs !== undefined) return workedMs + costMs
      }
    } catch (error) {
      failed(error)
      return 0
    }
  }

  /**
   * Changed entities do what they have put off while everything else goes on. Those that need long for it are late. Resolves to the milliseconds it
   * took.
   */
  async #workOff(): Promise<number> {
    const { space, ports } = this.#parts
    const keys = [...this.#changed, ...this.#fresh.values()].filter((key) => !this.#late.has(key))
    const started = ports.clock.now()
    await space.entities.workOff(keys, () => ports.clock.now() < started + PATIENCE_MS)
    return ports.clock.now() - started
  }

  /** Those of these entities that can be shown now; the others are late. */
  async #inTime(keys: readonly EntityKey[]): Promise<readonly EntityKey[]> {
    const mayBeLate = keys.filter((key) => !this.#insisted.has(key) && !this.#late.has(key))
    const late = await this.#parts.space.entities.workOff(mayBeLate, () => false)
    for (const key of late) void this.#showLate(key)
    return keys.filter((key) => this.#insisted.has(key) || !this.#late.has(key))
  }

  async #showLate(key: EntityKey): Promise<void> {
    this.#late.add(key)
    await this.#parts.space.entities.workOff([key], () => this.#watched.has(key))
    this.#late.delete(key)
    this.show([key])
  }

  async #showTimed(): Promise<number | undefined> {
    const { clock } = this.#parts.ports
    const started = clock.now()
    return (await this.#showChanged()) ? clock.now() - started : undefined
  }

  /** Says whether it was shown. */
  async #showChanged(): Promise<boolean> {
    const { space } = this.#parts
    const keys = new Set<EntityKey>()
    let opened: ReadonlyMap<EntityKey, Loaded>
    const losses = space.losses()
    // A command may append while entities are opened; what it changed is shown with the rest.
    do {
      for (const key of this.#changed) if (this.#watched.has(key)) keys.add(key)
      this.#changed.clear()
      const all = new Set([...keys, ...this.#fresh.values()])
      opened = await this.#reader.load(await this.#inTime([...all]))
    } while (this.#changed.size > 0)
    // Commits were lost meanwhile: what was opened may lack others that are still to be folded again.
    if (space.losses() !== losses) {
      this.#request([...keys])
      return false
    }
    for (const key of opened.keys()) this.#insisted.delete(key)
    const called = this.#callFresh(opened)
    for (const key of keys) {
      const entity = opened.get(key)
      for (const listener of entity ? (this.#watched.get(key) ?? []) : []) {
        if (!called.has(listener) && !this.#fresh.has(listener)) call(listener, entity!)
      }
    }
    if ([...this.#fresh.values()].some((key) => !this.#late.has(key))) this.#pace.ask()
    this.#readAgain(opened)
    return true
  }

  /** Calls listeners for the first time, as far as their entities were opened; returns those that were tried. */
  #callFresh(opened: ReadonlyMap<EntityKey, Loaded>): ReadonlySet<EntityListener> {
    const first = [...this.#fresh]
    this.#fresh.clear()
    for (const [listener, key] of first) {
      const entity = opened.get(key)
      if (entity && this.#watched.get(key)?.has(listener)) call(listener, entity)
      else if (!entity) this.#fresh.set(listener, key)
    }
    return new Set(first.map(([listener]) => listener))
  }

  /** What may be readable later is read again then. */
  #readAgain(opened: ReadonlyMap<EntityKey, Loaded>): void {
    const unread = [...opened].filter(
      ([, entity]) => entity.phase === 'unreadable' && canPass(entity.problem.code),
    )
    if (unread.length === 0) return
    this.#parts.ports.scheduler.after(RETRY_MS, () => this.show(unread.map(([key]) => key)))
  }
}

/** An error of a listener surfaces as an unhandled rejection, and keeps no other listener from being called. */
function call(listener: EntityListener, entity: Loaded): void {
  try {
    listener(entity)
  } catch (error) {
    void Promise.reject(error)
  }
}
