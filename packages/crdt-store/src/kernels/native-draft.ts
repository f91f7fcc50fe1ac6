import { encodeCanonical, limits, PeerplaneError, type Draft, type Value } from '@peerplane/core'

import { commitsToValue } from './commits.ts'
import { inGeneration, type Entries } from './entries.ts'
import { applyAll, ENTITY, entityRemoval, type EntityOps } from './entity-ops.ts'
import type { Cell, HandleDraft, Kernel } from './kernel.ts'
import type { OpContext } from './op-context.ts'
import { Void } from './void.ts'

/** What a draft changes. */
export interface DraftedEntity {
  readonly kernel: Kernel
  readonly entity: Entries<Cell>
  readonly context: OpContext
  readonly draft: HandleDraft
  /** Whether a deletion wins against concurrent changes. */
  readonly closes: boolean
}

/** A command in progress on a native state. Its ops take effect as they are written, in the way in which other devices will fold them. */
export class NativeDraft implements Draft {
  #handle: object | undefined
  readonly #place: DraftedEntity
  readonly #finished: (body: Uint8Array, ops: number) => void
  #ops: Value[] = []
  /** Whether the only op is the removal of the entity. */
  #isRemoval = false
  /** The generation of the ops. */
  #generation: number
  /** What was changed before the op that was written last. */
  #last = 0
  #isOpen = true
  #isPaused = false

  constructor(place: DraftedEntity, finished: (body: Uint8Array, ops: number) => void) {
    const { kernel, entity, context, draft } = place
    this.#place = place
    this.#finished = finished
    this.#generation = entity.nextGeneration(ENTITY, draft)
    entity.notice(ENTITY, context)
    const cell = (): Cell | undefined => {
      this.#requireOpen()
      return entity.get(ENTITY)
    }
    this.#handle = kernel.handle({ cell, write: (op) => this.#write(op), draft })
  }

  /** The handle of the state, until the draft is finished. */
  get handle(): object {
    this.#requireOpen()
    return this.#handle!
  }

  get exists(): boolean {
    return this.#place.entity.isPresent(ENTITY)
  }

  delete({ spares = false } = {}): void {
    this.#requireOpen()
    const { entity, context, draft, closes } = this.#place
    context.revert(0)
    this.#ops = []
    this.#isRemoval = false
    context.index = 0
    this.#generation = entity.nextGeneration(ENTITY, draft)
    if (!entity.isPresent(ENTITY)) return
    this.#apply(
      entityRemoval(
        entity.removal(ENTITY, closes, spares ? { ...draft, isComplete: false } : draft),
      ),
    )
    this.#isRemoval = true
    // The next op takes its place.
    context.index = 0
  }

  /** Takes back the op that was written last. It is called once after an op. */
  takeBack(): void {
    const { context } = this.#place
    context.revert(this.#last)
    this.#ops.pop()
    context.index = this.#ops.length
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
  }

  finish(): Uint8Array | undefined {
    this.#isOpen = false
    const { context } = this.#place
    if (!context.finish() || this.#ops.length === 0) {
      context.revert(0)
      return undefined
    }
    const commits = commitsToValue(context.table.commits)
    const body = encodeCanonical(inGeneration([commits, this.#ops], this.#generation))
    const { length } = this.#ops
    // The draft waits until the body is stored, and can only be taken back meanwhile.
    this.#handle = undefined
    this.#ops = []
    if (body.length > limits.commitBytes) {
      throw new PeerplaneError('too-large', `the changes of one command have ${body.length} bytes`)
    }
    this.#finished(body, length)
    return body
  }

  revert(): void {
    this.#isOpen = false
    this.#place.context.revert(0)
  }

  #write(op: Value): void {
    this.#requireOpen()
    const { entity, context, draft } = this.#place
    const generation = entity.nextGeneration(ENTITY, draft)
    if (this.#isRemoval) {
      // The next generation says that the one before it has ended. Where none may begin, the entity stays.
      if (generation === this.#generation) context.revert(0)
      this.#ops = []
      this.#isRemoval = false
    }
    if (this.#ops.length >= limits.opsPerSection) {
      throw new PeerplaneError(
        'too-large',
        `a command makes more than ${limits.opsPerSection} changes`,
      )
    }
    this.#generation = generation
    this.#apply(op)
  }

  #apply(op: Value): void {
    const { kernel, entity, context } = this.#place
    const ops: EntityOps = { ops: [op], generation: this.#generation, first: this.#ops.length }
    const mark = context.mark()
    this.#last = mark
    try {
      const other = applyAll(kernel, entity, ops, context)
      if (other) throw new Error(other.message)
    } catch (error) {
      context.revert(mark)
      if (error instanceof Void) throw new PeerplaneError('invalid-input', error.message)
      throw error
    }
    context.index = this.#ops.push(op)
  }

  #requireOpen(): void {
    if (this.#isOpen && !this.#isPaused) return
    throw new PeerplaneError('handler-failed', 'a handler used its state after it had returned')
  }
}
