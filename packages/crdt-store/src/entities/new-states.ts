import type { Commit, EntityKey, SessionId } from '@peerplane/core'

import { bodiesOf } from './bodies-of.ts'
import type { EntitiesOptions } from './entities.ts'
import type { VersionedBody } from './row.ts'
import { foldInto, isBeyond, type Slot } from './slot.ts'

/** An entity that is folded again. */
interface NewState {
  /** `undefined` as long as it has no body. */
  slot: Slot | undefined
  /** Bodies that only a newer model can read. */
  readonly beyond: VersionedBody[]
}

/** New states of some entities, made beside those that are shown meanwhile. What is folded into those meanwhile is folded into the new ones, too. */
export class NewStates {
  /** How far each session was folded when this began. */
  readonly folded: ReadonlyMap<SessionId, number>
  readonly #options: EntitiesOptions
  readonly #states: ReadonlyMap<EntityKey, NewState>
  #meanwhile: (readonly [EntityKey, readonly VersionedBody[]])[] = []
  #isClosed = false

  constructor(
    options: EntitiesOptions,
    keys: Iterable<EntityKey>,
    folded: ReadonlyMap<SessionId, number>,
  ) {
    this.#options = options
    this.#states = new Map([...keys].map((key) => [key, { slot: undefined, beyond: [] }]))
    this.folded = new Map(folded)
  }

  get keys(): readonly EntityKey[] {
    return [...this.#states.keys()]
  }

  /** Whether it was given up, or its states are in place. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Folds commits that count; sections on other entities are left out. */
  async add(commits: readonly Commit[], load: (key: EntityKey) => Promise<Slot>): Promise<void> {
    const { deviceOf, lineageOf, isUnderstood } = this.#options
    const isWanted = (key: EntityKey): boolean => this.#states.has(key)
    const bodies = bodiesOf(commits, isWanted, { deviceOf, lineageOf, isUnderstood })
    for (const key of bodies.keys()) await this.#open(key, load)
    for (const [key, list] of bodies) this.#fold(key, list)
  }

  /** Takes note of bodies that are folded into the states that are shown. */
  meanwhile(key: EntityKey, bodies: readonly VersionedBody[]): void {
    if (!this.#isClosed && this.#states.has(key)) this.#meanwhile.push([key, bodies])
  }

  /** Whether there is a state for everything that has come meanwhile. */
  get isReady(): boolean {
    return this.#meanwhile.every(([key]) => this.#states.get(key)!.slot)
  }

  /** Opens the states that bodies have come for meanwhile. */
  async prepare(load: (key: EntityKey) => Promise<Slot>): Promise<void> {
    for (const [key] of this.#meanwhile) await this.#open(key, load)
  }

  /** Entities that no commit changes. */
  blank(): ReadonlySet<EntityKey> {
    const changed = new Set(this.#meanwhile.map(([key]) => key))
    const isBlank = ([key, { slot }]: [EntityKey, NewState]): boolean => !slot && !changed.has(key)
    return new Set([...this.#states].filter(isBlank).map(([key]) => key))
  }

  /** The new states, with everything that was folded meanwhile; they belong to the caller. */
  finish(): ReadonlyMap<EntityKey, NewState> {
    for (const [key, bodies] of this.#meanwhile) this.#fold(key, bodies)
    this.#isClosed = true
    this.#meanwhile = []
    return this.#states
  }

  /** Gives the new states up. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#meanwhile = []
    for (const { slot } of this.#states.values()) slot?.state.close()
  }

  async #open(key: EntityKey, load: (key: EntityKey) => Promise<Slot>): Promise<void> {
    const state = this.#states.get(key)!
    if (state.slot || this.#isClosed) return
    const slot = await load(key)
    if (this.#isClosed) slot.state.close()
    else state.slot ??= slot
  }

  #fold(key: EntityKey, bodies: readonly VersionedBody[]): void {
    const { slot, beyond } = this.#states.get(key)!
    if (!slot || this.#isClosed) return
    for (const body of bodies) if (isBeyond(slot, body)) beyond.push(body)
    foldInto(slot, bodies, SILENT)
  }
}

/** What is void was reported when it was folded first. */
const SILENT = {}
