import {
  asPeerplaneError,
  limits,
  PeerplaneError,
  type Body,
  type EntitySize,
  type Json,
  type Origin,
} from '@peerplane/core'

import type { WholeDraft, WholeState } from '../whole/whole-content.ts'
import { encodeBody } from './body.ts'
import { CatchUp } from './catch-up.ts'
import { authorOf, isActorOf, workOf } from './change-chunk.ts'
import type { Default, DefaultMaker, Tree } from './defaults.ts'
import { DocumentDraft } from './document-draft.ts'
import { actorOf, Intake } from './intake.ts'
import { Kinds } from './kinds.ts'
import type { DocumentReplica } from './library.ts'
import { Places } from './places.ts'
import { lastOf, mergeChange, MOST_HEADS, type LastChange } from './merge-change.ts'
import { toMirror } from './plain.ts'
import { ShownReplica } from './shown-replica.ts'
import { encodeSnapshot, type Snapshot } from './snapshot.ts'

/** Judging so many operations takes about 10 ms at most. */
const PART_WORK = 16_384

/** With more operations, no command is accepted any longer. */
const mostOps = (): number => limits.documentSessionOps - limits.documentCommandOps

/** What an app declares a document to begin with. */
export interface DeclaredDocument {
  readonly maker: DefaultMaker
  readonly declared: readonly Default[]
  readonly tree: Tree
}

/**
 * A folded document.
 *
 * Folding keeps bodies and checks some of them; the others are checked, and all are applied, when the state is next looked at, or in parts
 * before that. Applying costs about 0.2 us per operation of the texts that are touched, however little comes in, so many small bodies
 * cost what one does. A body that is found void later is named by the call of `fold` after that.
 *
 * Which bodies take effect, {@link Intake} decides; a hostile session makes Automerge fail once.
 */
export class DocumentState implements WholeState {
  readonly #shown: ShownReplica
  readonly #intake: Intake
  readonly #catchUp: CatchUp
  readonly #kinds: Kinds
  readonly #places: Places
  /** How many bytes the device has stored of it, or is about to store. */
  #bytes: number
  /** Bodies found void since the last call of `fold`. */
  #refused: Body[] = []
  #version = ''
  /** The highest number of an operation of this version. */
  #last = 0
  /** Whether parts of what was pending have been applied since the version was made. */
  #isOutdated = false
  #mirror: Json | undefined
  #draft: DocumentDraft | undefined
  /** Who makes it. */
  #actor = ''
  /** The last change of this actor, where it is known. */
  #own: LastChange | undefined
  /** The change of the draft, if that is a merge. */
  #merge: LastChange | undefined
  /** Versions before merges that have changed nothing since. */
  readonly #merged = new Set<string>()
  #problem: string | undefined
  /** Why this state can no longer be used: the WASM has died. */
  #failure: unknown

  constructor(
    { maker, declared, tree }: DeclaredDocument,
    replica: DocumentReplica,
    { banned, waiting, kinds }: Omit<Snapshot, 'saved'>,
    bytes = 0,
  ) {
    this.#bytes = bytes
    this.#shown = new ShownReplica(replica, declared)
    this.#kinds = new Kinds(tree)
    this.#kinds.load(kinds)
    this.#places = new Places(declared, this.#kinds)
    this.#intake = new Intake(maker, this.#kinds, { banned, waiting })
    this.#catchUp = new CatchUp(this.#shown, this.#intake)
    this.#changed()
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

  get size(): EntitySize {
    return { bytes: this.#bytes, ops: this.#operations, mostBytes: undefined, mostOps: mostOps() }
  }

  get isLarge(): boolean {
    return this.#operations > 0.8 * mostOps()
  }

  fold(bodies: readonly Body[]): readonly Body[] {
    if (!this.#failure && !this.#problem) {
      this.#intake.hold(bodies)
      for (const body of bodies) this.#bytes += body.bytes.length
      // Looking into the replica would end the transaction of a command.
      if (!this.#draft) this.#attempt(() => this.#take(PART_WORK))
    }
    return this.#refused.splice(0)
  }

  advance(most: number): boolean {
    const isAtRest = this.#failure !== undefined || this.#problem !== undefined || this.#draft
    if (isAtRest || this.#intake.bytes <= most) return false
    this.#attempt(() => {
      if (this.#intake.isBehind) this.#take(PART_WORK)
      else {
        this.#isOutdated = true
        this.#refused.push(...this.#catchUp.part())
      }
    })
    return this.#failure === undefined && this.#problem === undefined && this.#intake.bytes > most
  }

  begin(origin: Origin, at?: string): WholeDraft {
    if (at !== undefined && this.#merged.has(at)) at = this.#version
    const isSeen = at !== undefined && at === this.#version && !this.#isOutdated
    // At the state that Automerge already has, what came in since can wait.
    if (!isSeen) this.#settle()
    const heads = at === undefined || at === this.#version ? undefined : this.#headsOf(at)
    this.#requireRoom()
    const actor = actorOf(origin.session)
    if (actor !== this.#actor) this.#own = undefined
    this.#actor = actor
    this.#merge = undefined
    const replica = this.#shown.writable(this.#actor)
    this.#draft = new DocumentDraft(this, { replica, places: this.#places, at: heads })
    return this.#draft
  }

  get needsMerge(): boolean {
    this.#settle()
    return this.#shown.replica.getHeads().length > MOST_HEADS
  }

  merge(): void {
    const { replica } = this.#shown
    const last = this.#own ?? lastOf(replica, this.#actor)
    const merge = mergeChange(replica, this.#actor, last)
    this.#merge = merge
    this.#draft!.merge(merge)
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
    this.#own = this.#merge
    if (this.#merge) this.#changedNothing()
    else this.#changed()
    if (!isActorOf(authorOf(chunks), this.#actor)) {
      throw new PeerplaneError('invalid-input', 'a command refers to a version that is too old')
    }
    const bytes = encodeBody(
      body,
      workOf(chunks, (hash) => this.#lastOp(hash)),
    )
    this.#intake.addOwn(body)
    this.#bytes += bytes.length
    return bytes
  }

  /** Called by the draft. */
  reverted(replica: DocumentReplica): void {
    this.#draft = undefined
    this.#own = undefined
    this.#shown.revert(replica)
    this.#changed()
    this.#intake.revertOwn()
  }

  snapshot(): Uint8Array {
    this.#settle()
    const { banned, waiting } = this.#intake
    const kinds = this.#kinds.save()
    const saved = this.#shown.held.save()
    const snapshot = encodeSnapshot({ saved, banned: [...banned], waiting, kinds })
    this.#bytes = snapshot.length
    return snapshot
  }

  close(): void {
    this.#catchUp.close()
    this.#shown.close()
  }

  /** What fails here is thrown by the next read of the document. */
  #attempt(task: () => void): void {
    try {
      task()
    } catch (error) {
      this.#failure = error
    }
  }

  /** Takes bodies in, up to so much work. */
  #take(work: number): void {
    this.#refused.push(...this.#intake.take(this.#shown.held, work))
    if (this.#intake.operations > limits.documentAllOps) this.#giveUp()
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
      this.#take(Infinity)
      if (this.#problem !== undefined) throw new PeerplaneError('unreadable', this.#problem)
      if (this.#intake.pending.length === 0 && !this.#isOutdated) return
      // Changes that build on a refused one are tried again: they may not need it. Each round bans a session.
      while (this.#intake.pending.length > 0) {
        this.#refused.push(...this.#catchUp.all())
        this.#take(Infinity)
      }
      this.#isOutdated = false
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
    const heads = this.#shown.replica.getHeads()
    const version = heads.join()
    if (version === this.#version) return
    this.#mirror = undefined
    this.#merged.clear()
    this.#version = version
    this.#last = Math.max(0, ...heads.map((head) => this.#lastOp(head)))
  }

  /** A merge makes another version of what is shown. */
  #changedNothing(): void {
    const [mirror, merged] = [this.#mirror, [...this.#merged, this.#version]]
    this.#changed()
    this.#mirror = mirror
    for (const version of merged) this.#merged.add(version)
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
    if (Math.min(...known) >= 0 && this.#last - Math.max(...known) < limits.documentOpsAhead)
      return heads
    throw new PeerplaneError('invalid-input', 'a command refers to a version that is not held here')
  }

  /** Without the changes of others, all operations are numbered one after the other. */
  #requireRoom(): void {
    const held = this.#operations
    if (held <= mostOps()) return
    throw new PeerplaneError(
      'too-large',
      `a document holds ${held} operations, and commands may make ${limits.documentSessionOps}: copy what it shows into a new document`,
    )
  }

  /** How many operations it has, with those that were replaced or deleted. */
  get #operations(): number {
    return Math.max(this.#last, this.#intake.operations)
  }

  #lastOp(hash: string): number {
    return this.#shown.replica.getChangeMetaByHash(hash)?.maxOp ?? -Infinity
  }
}
