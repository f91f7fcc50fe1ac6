import {
  asPeerplaneError,
  limits,
  PeerplaneError,
  type Body,
  type Draft,
  type EntityState,
  type Json,
  type Origin,
} from '@peerplane/core'

import { applyRemote } from './apply.ts'
import { encodeBody } from './body.ts'
import { authorOf, isActorOf, workOf } from './change-chunk.ts'
import type { Default, DefaultMaker, Tree } from './defaults.ts'
import { DocumentDraft } from './document-draft.ts'
import { actorOf, Intake } from './intake.ts'
import { Kinds } from './kinds.ts'
import type { DocumentReplica } from './library.ts'
import { Places } from './places.ts'
import { toMirror } from './plain.ts'
import { ShownReplica } from './shown-replica.ts'
import { encodeSnapshot, type Snapshot } from './snapshot.ts'

/** What an app declares a document to begin with. */
export interface DeclaredDocument {
  readonly maker: DefaultMaker
  readonly declared: readonly Default[]
  readonly tree: Tree
}

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
  readonly #shown: ShownReplica
  readonly #intake: Intake
  readonly #kinds: Kinds
  readonly #places: Places
  /** Bodies found void since the last call of `fold`. */
  #refused: Body[] = []
  #version: string
  #mirror: Json | undefined
  #draft: DocumentDraft | undefined
  /** Who makes it. */
  #actor = ''
  #problem: string | undefined
  /** Why this state can no longer be used: the WASM has died. */
  #failure: unknown

  constructor(
    { maker, declared, tree }: DeclaredDocument,
    replica: DocumentReplica,
    { banned, waiting, kinds }: Omit<Snapshot, 'saved'>,
  ) {
    this.#shown = new ShownReplica(replica, declared)
    this.#kinds = new Kinds(tree)
    this.#kinds.load(kinds)
    this.#places = new Places(declared, this.#kinds)
    this.#intake = new Intake(maker, this.#kinds, { banned, waiting })
    this.#version = this.#shown.replica.getHeads().join()
  }

  get problem(): string | undefined {
    return this.#problem
  }

  /** What the initial states of changes show. The mirror finds the rest. */
  get skipped(): string | undefined {
    return this.#kinds.skipped
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
    else if (!this.#failure && !this.#problem) {
      try {
        this.#refused.push(...this.#intake.take(bodies, this.#shown.held))
        if (this.#intake.operations > limits.documentAllOps) this.#giveUp()
        if (this.#intake.pendingBytes > limits.documentBytes) this.#settle()
      } catch (error) {
        // The next read of the document throws it.
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
    this.#requireRoom()
    this.#actor = actorOf(origin.session)
    const replica = this.#shown.writable(this.#actor)
    this.#draft = new DocumentDraft(this, { replica, places: this.#places, at: heads })
    return this.#draft
  }

  identify(): void {
    // Changes of documents name each other by their own hashes.
  }

  /** Called by the draft. */
  ended(): void {
    this.#draft = undefined
    this.#changed()
  }

  /** Called by the draft. */
  committed(chunks: Uint8Array): Uint8Array {
    this.#draft = undefined
    const body = { chunks, tree: this.#shown.keep() }
    this.#changed()
    if (!isActorOf(authorOf(chunks), this.#actor)) {
      throw new PeerplaneError('invalid-input', 'a command refers to a version that is too old')
    }
    const bytes = encodeBody(
      body,
      workOf(chunks, (hash) => this.#lastOp(hash)),
    )
    this.#intake.addOwn(body)
    return bytes
  }

  /** Called by the draft. */
  reverted(replica: DocumentReplica): void {
    this.#draft = undefined
    this.#shown.revert(replica)
    this.#changed()
    this.#intake.revertOwn()
  }

  snapshot(): Uint8Array {
    this.#settle()
    const { banned, waiting } = this.#intake
    const kinds = this.#kinds.save()
    return encodeSnapshot({ saved: this.#shown.held.save(), banned: [...banned], waiting, kinds })
  }

  close(): void {
    this.#shown.close()
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
      this.#refused.push(...this.#intake.take([], this.#shown.held))
      if (this.#intake.pending.length === 0) return
      // Changes that build on a refused one are tried again: they may not need it. Each round bans a session.
      while (this.#intake.pending.length > 0) {
        const { replica, refused, orphaned } = applyRemote(this.#shown.held, this.#intake.pending)
        this.#shown.replace(replica)
        this.#refused.push(...this.#intake.settled(refused, orphaned))
        this.#refused.push(...this.#intake.take([], this.#shown.held))
      }
    } catch (error) {
      this.#failure = error
      throw asPeerplaneError(error, 'unreadable')
    }
    this.#changed()
  }

  /** What it holds is freed: nobody can look at it. */
  #giveUp(): void {
    this.#problem = `it holds more than ${limits.documentAllOps} operations`
    this.#intake.giveUp()
    this.close()
  }

  #changed(): void {
    const version = this.#shown.replica.getHeads().join()
    if (version !== this.#version) this.#mirror = undefined
    this.#version = version
  }

  #materialize(): Json {
    if (this.#draft) {
      throw new PeerplaneError('handler-failed', 'the mirror of a document was read in a command')
    }
    try {
      const { replica } = this.#shown
      const plain = replica.materialize('/')
      this.#places.correct(replica, plain)
      const mirror = toMirror(plain)
      // Materialising starts a record of patches, which nobody reads.
      replica.resetDiffCursor()
      return mirror
    } catch (cause) {
      throw new PeerplaneError('unreadable', 'the document cannot be read', { cause })
    }
  }

  /** The heads of a version that is held here and not so old that other devices would refuse a change made there. */
  #headsOf(version: string): string[] {
    const heads = version.split(',')
    const known = heads.map((head) => this.#lastOp(head))
    const last = Math.max(...this.#version.split(',').map((head) => this.#lastOp(head)))
    if (Math.min(...known) >= 0 && last - Math.max(...known) < limits.documentOpsAhead) return heads
    throw new PeerplaneError('invalid-input', 'a command refers to a version that is not held here')
  }

  /** Without the changes of others, all operations are numbered one after the other. */
  #requireRoom(): void {
    const last = Math.max(...this.#version.split(',').map((head) => this.#lastOp(head)))
    const held = Math.max(last, this.#intake.operations)
    if (held + limits.documentCommandOps <= limits.documentSessionOps) return
    throw new PeerplaneError(
      'too-large',
      `a document holds ${held} operations, and commands may make ${limits.documentSessionOps}`,
    )
  }

  #lastOp(hash: string): number {
    return this.#shown.replica.getChangeMetaByHash(hash)?.maxOp ?? -Infinity
  }
}
