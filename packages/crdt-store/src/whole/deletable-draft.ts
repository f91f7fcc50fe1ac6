import {
  decodeCanonical,
  encodeCanonical,
  limits,
  PeerplaneError,
  type Draft,
  type Value,
} from '@peerplane/core'

import { commitsToValue } from '../kernels/commits.ts'
import { inGeneration, type Entries } from '../kernels/entries.ts'
import { ENTITY, entityRemoval, removeEntity, type EntityOps } from '../kernels/entity-ops.ts'
import type { DraftPlace } from '../kernels/kernel.ts'
import type { OpContext } from '../kernels/op-context.ts'
import { forwarded } from './forwarded.ts'
import type { WholeDraft, WholeState } from './whole-content.ts'

/** What a draft changes. */
export interface DraftedWhole {
  readonly entity: Entries<WholeState>
  readonly context: OpContext
  readonly draft: DraftPlace
  /** Whether a deletion wins against concurrent changes. */
  readonly closes: boolean
  readonly create: () => WholeState
  /** The draft has a body. `left` is what was in the entity before, if it is not there any longer. */
  readonly finished: (context: OpContext, left: WholeState | undefined) => void
  /** What the draft has done is taken back. */
  readonly reverted: () => void
}

/** A command in progress on an entity that is deleted as a whole. */
export class DeletableDraft implements Draft {
  readonly handle: object
  readonly #place: DraftedWhole
  /** The generation that the draft changes, and what it holds: a new state if the generation has not begun. */
  #generation: number
  #content: WholeState
  #inner: WholeDraft
  /** What was in the entity when the draft began. */
  readonly #before: WholeState | undefined
  /** The removal that the draft makes unless it changes the entity again. */
  #removal: EntityOps | undefined
  #isOpen = true
  #isPaused = false
  #isClosed = false

  /** Throws `invalid-input` if `at` is no version of what can be changed. */
  constructor(place: DraftedWhole, at: string | undefined) {
    const { entity, draft } = place
    this.#place = place
    this.#before = entity.kept(ENTITY)?.content
    this.#generation = entity.nextGeneration(ENTITY, draft)
    const version = at === undefined ? undefined : innerVersion(at, this.#generation)
    this.#content = this.#contentOf(this.#generation)
    try {
      this.#inner = this.#content.begin(place.context.origin, version)
    } catch (error) {
      this.#closeUnused()
      throw error
    }
    this.handle = forwarded(() => this.#inner.handle as object)
  }

  get exists(): boolean {
    return this.#inner.isUsed || this.#place.entity.isPresent(ENTITY)
  }

  delete({ spares = false } = {}): void {
    if (!this.#isOpen || this.#isPaused) {
      throw new PeerplaneError('handler-failed', 'a handler used its state after it had returned')
    }
    this.#inner.checkDelete?.()
    this.#inner.revert()
    const { entity, context, draft, closes } = this.#place
    if (entity.isPresent(ENTITY)) {
      const ops = [
        entityRemoval(
          entity.removal(ENTITY, closes, spares ? { ...draft, isComplete: false } : draft),
        ),
      ]
      this.#removal = { ops, generation: this.#generation }
      removeEntity(entity, this.#removal, context)
      // Where no generation may begin, what the command writes now stays in this one.
      this.#generation = entity.nextGeneration(ENTITY, draft)
      this.#content = this.#contentOf(this.#generation)
    }
    this.#inner = this.#content.begin(context.origin)
  }

  pause(): void {
    this.#isPaused = true
    this.#inner.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#inner.resume()
  }

  finish(): Uint8Array | undefined {
    this.#isOpen = false
    const changes = this.#inner.finish()
    const body = changes ? this.#change(changes) : this.#remove()
    if (body && body.length > limits.commitBytes) {
      throw new PeerplaneError('too-large', `the changes of one command have ${body.length} bytes`)
    }
    return body
  }

  revert(): void {
    this.#isOpen = false
    this.#inner.revert()
    this.#place.context.revert(0)
    this.#place.reverted()
    this.#closeUnused()
  }

  /** The body of changes, and their effect. */
  #change(changes: Uint8Array): Uint8Array {
    const { entity, context, finished } = this.#place
    context.revert(0)
    const entry = entity.enter(ENTITY, this.#generation, context, () => this.#content)!
    entity.touch(ENTITY, entry, context)
    finished(context, this.#before === this.#content ? undefined : this.#before)
    if (this.#generation === 0) return changes
    return encodeCanonical(inGeneration(decodeCanonical(changes) as Value[], this.#generation))
  }

  /** The body of a removal, which has taken effect. */
  #remove(): Uint8Array | undefined {
    this.#closeUnused()
    if (!this.#removal) return undefined
    const { entity, context, finished } = this.#place
    const isLeft = entity.kept(ENTITY)?.content !== this.#before
    finished(context, isLeft ? this.#before : undefined)
    const { ops, generation } = this.#removal
    return encodeCanonical(inGeneration([commitsToValue(context.table.commits), ops], generation))
  }

  /** What a generation holds. */
  #contentOf(generation: number): WholeState {
    const kept = this.#place.entity.kept(ENTITY)
    return kept?.generation === generation ? kept.content : this.#place.create()
  }

  /** Frees a state that was made for the draft and is in no entity. */
  #closeUnused(): void {
    if (this.#isClosed || this.#content === this.#before) return
    this.#isClosed = true
    this.#content.close()
  }
}

/*
 *   version   version in generation 0, or generation ":" version; empty where the state inside needs none
 */

/** The version of an entity with what it holds in a generation. */
export const versionIn = (generation: number, version: string): string =>
  generation === 0 || version === '' ? version : `${generation}:${version}`

/** Inverse of {@link versionIn}. Throws `invalid-input` for a version of another generation. */
function innerVersion(at: string, generation: number): string {
  const [, before, version] = /^(?:(\d+):)?(.*)$/s.exec(at)!
  if (at === '' || Number(before ?? 0) === generation) return version!
  throw new PeerplaneError(
    'invalid-input',
    'a command refers to a version from before a deletion of its entity',
  )
}
