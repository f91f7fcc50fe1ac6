import { encodeCanonical, limits, PeerplaneError, type Draft, type Value } from '@peerplane/core'

import type { Cell, DraftPlace, Kernel } from './kernel.ts'
import { commitsToValue } from './commits.ts'
import type { OpContext } from './op-context.ts'
import { Void } from './void.ts'

/** A command in progress on a native state. Its ops take effect as they are written, in the way in which other devices will fold them. */
export class NativeDraft implements Draft {
  readonly handle: object
  readonly #kernel: Kernel
  readonly #root: Cell
  readonly #context: OpContext
  readonly #finished: (body: Uint8Array, ops: number) => void
  readonly #ops: Value[] = []
  #isOpen = true
  #isPaused = false

  constructor(
    kernel: Kernel,
    root: Cell,
    context: OpContext,
    draft: DraftPlace,
    finished: (body: Uint8Array, ops: number) => void,
  ) {
    this.#kernel = kernel
    this.#root = root
    this.#context = context
    this.#finished = finished
    const cell = (): Cell => {
      this.#requireOpen()
      return root
    }
    this.handle = kernel.handle({ cell, write: (op) => this.#write(op), draft })
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
  }

  finish(): Uint8Array | undefined {
    this.#isOpen = false
    if (this.#context.draft?.areNone) {
      this.#context.revert(0)
      return undefined
    }
    const commits = commitsToValue(this.#context.table.commits)
    const body = encodeCanonical([commits, this.#ops])
    if (body.length > limits.commitBytes) {
      throw new PeerplaneError('too-large', `the changes of one command have ${body.length} bytes`)
    }
    this.#finished(body, this.#ops.length)
    return body
  }

  revert(): void {
    this.#isOpen = false
    this.#context.revert(0)
  }

  #write(op: Value): void {
    this.#requireOpen()
    if (this.#ops.length >= limits.opsPerSection) {
      throw new PeerplaneError(
        'too-large',
        `a command makes more than ${limits.opsPerSection} changes`,
      )
    }
    const mark = this.#context.mark()
    try {
      const other = this.#kernel.apply(this.#root, op, this.#context)
      if (other) throw new Error(other.message)
    } catch (error) {
      this.#context.revert(mark)
      if (error instanceof Void) throw new PeerplaneError('invalid-input', error.message)
      throw error
    }
    this.#context.index = this.#ops.push(op)
  }

  #requireOpen(): void {
    if (this.#isOpen && !this.#isPaused) return
    throw new PeerplaneError('handler-failed', 'a handler used its state after it had returned')
  }
}
