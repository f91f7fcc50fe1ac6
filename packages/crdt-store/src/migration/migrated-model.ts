import type {
  Body,
  Draft,
  EntitySize,
  EntityState,
  Json,
  Lens,
  Origin,
  StateModel,
} from '@peerplane/core'

import { handleFor } from './handles.ts'
import { Mirrors } from './mirrors.ts'

/**
 * Makes the state model of an entity whose declaration has migrations: `model` folds and stores the state in the stored shape, and the app reads and
 * writes it through `lens`. Bodies and snapshots are those of `model`, so every version of the app reads the bodies of every other version.
 */
export function migratedModel(model: StateModel, lens: Lens): StateModel {
  const mirrors = Mirrors.through(lens)
  return {
    version: model.version,
    open: async (snapshot, entity) =>
      new MigratedState(await model.open(snapshot, entity), lens, mirrors),
  }
}

/** All members are passed on, also those that a model may leave out. */
class MigratedState implements Required<EntityState> {
  readonly #stored: EntityState
  readonly #lens: Lens
  readonly #mirrors: Mirrors
  /** Why the mirror that was made last lacks a value. */
  #unconverted: string | undefined

  constructor(stored: EntityState, lens: Lens, mirrors: Mirrors) {
    this.#stored = stored
    this.#lens = lens
    this.#mirrors = mirrors
  }

  get mirror(): Json {
    const { mirror, problem } = this.#mirrors.of(this.#stored.mirror)
    this.#unconverted = problem
    return mirror
  }

  get problem(): string | undefined {
    return this.#stored.problem
  }

  get skipped(): string | undefined {
    return this.#stored.skipped ?? this.#unconverted
  }

  get exists(): boolean {
    return this.#stored.exists
  }

  get changedMs(): number {
    return this.#stored.changedMs
  }

  get hasConflict(): boolean {
    return this.#stored.hasConflict ?? false
  }

  get size(): EntitySize {
    return this.#stored.size
  }

  get isLarge(): boolean {
    return this.#stored.isLarge
  }

  get version(): string {
    return this.#stored.version
  }

  fold(bodies: readonly Body[]): readonly Body[] {
    // The next mirror tells whether it can be converted.
    this.#unconverted = undefined
    return this.#stored.fold(bodies)
  }

  advance(most: number): boolean {
    return this.#stored.advance?.(most) ?? false
  }

  markIncomplete(): void {
    this.#stored.markIncomplete?.()
  }

  begin(origin: Origin, at?: string): Draft {
    const draft = this.#stored.begin(origin, at)
    return {
      get exists() {
        return draft.exists
      },
      delete: (options) => draft.delete(options),
      handle: handleFor(this.#lens, draft.handle),
      pause: () => draft.pause(),
      resume: () => draft.resume(),
      finish: () => draft.finish(),
      revert: () => draft.revert(),
    }
  }

  merge(origin: Origin): Draft | undefined {
    return this.#stored.merge?.(origin)
  }

  identify(body: Body): void {
    this.#stored.identify(body)
  }

  snapshot(): Uint8Array {
    return this.#stored.snapshot()
  }

  close(): void {
    this.#stored.close()
  }
}
