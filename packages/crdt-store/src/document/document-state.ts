import {
  asPeerplaneError,
  limits,
  PeerplaneError,
  type Body,
  type Draft,
  type EntityState,
  type Json,
  type Origin,
  type SessionId,
} from '@peerplane/core'

import { applyForeign } from './apply.ts'
import { free } from './automerge.ts'
import type { Replica } from './library.ts'
import { DocumentDraft } from './document-draft.ts'
import { actorOf, Intake } from './intake.ts'
import { toMirror } from './plain.ts'
import { encodeSnapshot } from './snapshot.ts'

/**
 * A folded document.
 *
 * Folding checks a body and keeps it; Automerge applies all that has come in when the state is next looked at. Applying costs about
 * 0.2 us per operation of the texts that are touched, however little comes in, so many small bodies cost what one does. A body that
 * only Automerge finds fault with is named by the call of `fold` after that.
 *
 * Which bodies take effect, {@link Intake} decides; a hostile session makes Automerge fail once.
 */
export class DocumentState implements EntityState {
  #replica: Replica
  readonly #intake: Intake
  /** Bodies found void since the last call of `fold`. */
  #refused: Body[] = []
  #version: string
  #mirror: Json | undefined
  #draft: DocumentDraft | undefined
  /** Why this state can no longer be used: the WASM has died. */
  #failure: unknown

  constructor(replica: Replica, banned: Iterable<SessionId>, waiting: readonly Body[]) {
    this.#replica = replica
    this.#intake = new Intake(banned, waiting)
    this.#version = replica.getHeads().join()
  }

  get mirror(): Json {
    this.#settle()
    this.#mirror ??= this.#materialize()
    return this.#mirror
  }

  get version(): string {
    this.#settle()
    return this.#version
  }

  fold(bodies: readonly Body[]): readonly Body[] {
    // Looking into the replica would end the transaction of a command.
    if (this.#draft) this.#intake.hold(bodies)
    else if (!this.#failure) {
      try {
        this.#refused.push(...this.#intake.take(bodies, this.#replica))
        if (this.#intake.pendingBytes > limits.documentBytes) this.#settle()
      } catch (error) {
        // Whoever reads the document next is told.
        this.#failure = error
      }
    }
    return this.#refused.splice(0)
  }

  begin(origin: Origin, at?: string): Draft {
    const isSeen = at !== undefined && at === this.#version
    // At the state that Automerge already has, what came in since can wait.
    if (!isSeen) this.#settle()
    const heads = at === undefined || at === this.#version ? undefined : this.#headsOf(at)
    const actor = actorOf(origin.session)
    if (this.#replica.getActorId() !== actor) {
      const replica = this.#replica.clone(actor)
      free(this.#replica)
      this.#replica = replica
    }
    this.#draft = new DocumentDraft(this, this.#replica, heads)
    return this.#draft
  }

  /** Called by the draft. */
  ended(replica: Replica, change?: Uint8Array | 'reverted'): void {
    this.#draft = undefined
    this.#replica = replica
    this.#changed()
    if (change === 'reverted') this.#intake.revertOwn()
    else if (change) this.#intake.addOwn(change)
  }

  snapshot(): Uint8Array {
    this.#settle()
    const { banned, waiting } = this.#intake
    return encodeSnapshot({ saved: this.#replica.save(), banned: [...banned], waiting })
  }

  close(): void {
    free(this.#replica)
  }

  /**
   * Applies what is pending. Not inside a command: its transaction must stay the one change that it becomes.
   *
   * Throws `unreadable` when Automerge itself has failed: then nothing is judged and the document must be opened again.
   */
  #settle(): void {
    if (this.#failure) throw asPeerplaneError(this.#failure, 'unreadable')
    if (this.#draft) return
    try {
      this.#refused.push(...this.#intake.take([], this.#replica))
      if (this.#intake.pending.length === 0) return
      const { replica, refused, orphaned } = applyForeign(this.#replica, this.#intake.pending)
      this.#replica = replica
      this.#refused.push(...this.#intake.settled(refused, orphaned))
    } catch (error) {
      this.#failure = error
      throw asPeerplaneError(error, 'unreadable')
    }
    this.#changed()
  }

  #changed(): void {
    const version = this.#replica.getHeads().join()
    if (version !== this.#version) this.#mirror = undefined
    this.#version = version
  }

  #materialize(): Json {
    if (this.#draft) {
      throw new PeerplaneError('handler-failed', 'the mirror of a document was read in a command')
    }
    try {
      const mirror = toMirror(this.#replica.materialize('/'))
      // Materialising starts a record of patches, which nobody reads.
      this.#replica.resetDiffCursor()
      return mirror
    } catch (cause) {
      throw new PeerplaneError('unreadable', 'the document cannot be read', { cause })
    }
  }

  /** The heads of a version that is held here and not so old that other devices would refuse a change made there. */
  #headsOf(version: string): string[] {
    const lastOp = (head: string): number | undefined =>
      this.#replica.getChangeMetaByHash(head)?.maxOp
    const heads = version.split(',')
    const known = heads.map((head) => lastOp(head) ?? -Infinity)
    const last = Math.max(...this.#version.split(',').map((head) => lastOp(head) ?? 0))
    if (Math.min(...known) >= 0 && last - Math.max(...known) < limits.documentOpsAhead) return heads
    throw new PeerplaneError('invalid-input', 'a command refers to a version that is not held here')
  }
}
