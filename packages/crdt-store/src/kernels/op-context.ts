import type { Origin, SessionId, Value } from '@peerplane/core'

import type { OpDot } from './op-dot.ts'
import type { SessionReader } from './sessions.ts'

/** The application of one body, or of one draft as it grows: where its ops come from, and how to take them back. */
export class OpContext {
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
