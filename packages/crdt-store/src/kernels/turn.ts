import type { Origin, SessionId, Value } from '@peerplane/core'

import type { OpDot } from './dots.ts'
import type { SessionReader } from './sessions.ts'

/** Thrown inside kernels for an op that breaks a rule. It never leaves the native model. */
export class Void extends Error {}

/** The application of one body, or of one draft as it grows: where its ops come from, and how to take them back. */
export class Turn {
  readonly origin: Origin
  readonly sessions: SessionReader
  /** Size of the body; 0 while it grows. */
  readonly bodyBytes: number
  /** Number of the op that is being applied. */
  index = 0
  readonly #journal: (() => void)[] = []

  constructor(origin: Origin, sessions: SessionReader, bodyBytes = 0) {
    this.origin = origin
    this.bodyBytes = bodyBytes
    this.sessions = sessions
  }

  /** The dot of the op that is being applied. */
  dot(): OpDot {
    return { session: this.origin.session, seq: this.origin.seq, index: this.index }
  }

  session(ref: Value | undefined): SessionId {
    return this.sessions.session(ref)
  }

  /** Records how to take the change back that is made now. */
  undo(step: () => void): void {
    this.#journal.push(step)
  }

  /** A point to go back to. */
  mark(): number {
    return this.#journal.length
  }

  /** Takes back all changes since `mark`. */
  revert(mark: number): void {
    while (this.#journal.length > mark) this.#journal.pop()!()
  }
}

/** The items of an array of `length`; without it of any. Throws `Void`. */
export function items(value: Value | undefined, length?: number): readonly Value[] {
  if (!Array.isArray(value) || (length !== undefined && value.length !== length)) {
    throw new Void('an op has another form than its kernel reads')
  }
  return value as readonly Value[]
}

/** A whole number of at least `min`. Throws `Void`. */
export function whole(value: Value | undefined, min = 0): number {
  if (!Number.isSafeInteger(value) || (value as number) < min) throw new Void('not a whole number')
  return value as number
}
