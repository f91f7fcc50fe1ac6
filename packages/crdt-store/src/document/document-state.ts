import {
  asPeerplaneError,
  encodeCanonical,
  fromHex,
  hash,
  limits,
  PeerplaneError,
  toHex,
  type Body,
  type Draft,
  type EntityState,
  type Json,
  type Origin,
  type SessionId,
} from '@peerplane/core'

import { applyForeign, type Pending } from './apply.ts'
import { free } from './automerge.ts'
import type { Replica } from './library.ts'
import { MAX_AHEAD, readChange } from './change-chunk.ts'
import { DocumentDraft } from './document-draft.ts'
import { toMirror } from './plain.ts'

/**
 * A folded document.
 *
 * Folding checks a body and keeps it; Automerge applies all that has come in when the state is next looked at. Applying costs about
 * 0.2 us per operation of the texts that are touched, however little comes in, so many small bodies cost what one does. A body that
 * only Automerge finds fault with is named by the call of `fold` after that.
 *
 * A session with a void body has no further effect on this document: a hostile one makes Automerge fail once.
 */
export class DocumentState implements EntityState {
  #replica: Replica
  readonly #banned: Set<SessionId>
  #pending: Pending[] = []
  #pendingBytes = 0
  /** Bodies that Automerge refused since the last call of `fold`. */
  #refused: Body[] = []
  /** Last operation of changes, by hash: of all pending ones, the heads, and what was looked up. */
  #maxOps = new Map<string, number>()
  #version: string
  #mirror: Json | undefined
  #draft: DocumentDraft | undefined
  /** Why this state can no longer be used: the WASM has died. */
  #failure: unknown

  constructor(replica: Replica, banned: Iterable<SessionId>) {
    this.#replica = replica
    this.#banned = new Set(banned)
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
    const refused = bodies.filter((body) => !this.#accept(body))
    if (this.#pendingBytes > limits.documentBytes && !this.#failure) {
      try {
        this.#settle()
      } catch {
        // Whoever reads the document next is told.
      }
    }
    return [...this.#refused.splice(0), ...refused]
  }

  begin(origin: Origin, at?: string): Draft {
    const isSeen = at !== undefined && at === this.#version
    // At the state that Automerge already has, what came in since can wait.
    if (!isSeen) this.#settle()
    const heads = at === undefined || at === this.#version ? undefined : this.#headsOf(at)
    const actor = toHex(actorOf(origin.session))
    if (this.#replica.getActorId() !== actor) {
      const replica = this.#replica.clone(actor)
      free(this.#replica)
      this.#replica = replica
    }
    this.#draft = new DocumentDraft(this, this.#replica, heads)
    return this.#draft
  }

  /** Called by the draft. */
  ended(replica: Replica): void {
    this.#draft = undefined
    this.#replica = replica
    this.#changed()
  }

  snapshot(): Uint8Array {
    this.#settle()
    return encodeCanonical([this.#replica.save(), [...this.#banned].sort().map(fromHex)])
  }

  close(): void {
    free(this.#replica)
    this.#pending = []
  }

  #accept(body: Body): boolean {
    const { session } = body.origin
    if (this.#banned.has(session)) return false
    try {
      const change = readChange(body.bytes, actorOf(session), (each) => this.#maxOpOf(each))
      if (this.#maxOps.has(change.hash)) return true
      this.#maxOps.set(change.hash, change.maxOp)
      this.#pending.push({ body, change })
      this.#pendingBytes += body.bytes.length
      return true
    } catch (error) {
      if (error instanceof PeerplaneError && error.code === 'void') {
        this.#banned.add(session)
        return false
      }
      this.#failure ??= error
      return true
    }
  }

  #maxOpOf(change: string): number | undefined {
    const known = this.#maxOps.get(change)
    if (known !== undefined) return known
    const found = this.#replica.getChangeMetaByHash(change)
    if (found === null) return undefined
    this.#maxOps.set(change, found.maxOp)
    return found.maxOp
  }

  /**
   * Applies what is pending. Not inside a command: its transaction must stay the one change that it becomes.
   *
   * Throws `unreadable` when Automerge itself has failed: then nothing is judged and the document must be opened again.
   */
  #settle(): void {
    if (this.#failure) throw asPeerplaneError(this.#failure, 'unreadable')
    if (this.#pending.length === 0 || this.#draft) return
    try {
      const { replica, refused } = applyForeign(this.#replica, this.#pending, this.#banned)
      this.#replica = replica
      this.#refused.push(...refused)
    } catch (error) {
      this.#failure = error
      throw error
    }
    this.#pending = []
    this.#pendingBytes = 0
    const heads = new Set(this.#replica.getHeads())
    this.#maxOps = new Map([...this.#maxOps].filter(([change]) => heads.has(change)))
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
    const heads = version.split(',')
    const known = heads.map((head) => this.#maxOpOf(head) ?? -Infinity)
    const last = Math.max(...this.#version.split(',').map((head) => this.#maxOpOf(head) ?? 0))
    if (Math.min(...known) >= 0 && last - Math.max(...known) < MAX_AHEAD) return heads
    throw new PeerplaneError('invalid-input', 'a command refers to a version that is not held here')
  }
}

/** The actor of a session in every document: 16 bytes that no other session has, and a session is never resumed. */
export const actorOf = (session: SessionId): Uint8Array =>
  hash('document-actor', fromHex(session)).slice(0, 16)
