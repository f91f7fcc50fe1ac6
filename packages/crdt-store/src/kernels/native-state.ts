import {
  encodeCanonical,
  limits,
  PeerplaneError,
  type Body,
  type Draft,
  type EntityState,
  type Json,
  type Origin,
  type SessionId,
  type Value,
} from '@peerplane/core'

import type { Cell, DraftPlace, Kernel } from './kernel.ts'
import { Entries } from './entries.ts'
import { readForm, readNamed } from './body-form.ts'
import { applyAll, ENTITY } from './entity-ops.ts'
import { NativeDraft } from './native-draft.ts'
import { CommitTable, NamedCommit, readTable, tableToValues } from './commits.ts'
import { OpContext } from './op-context.ts'
import { readText } from './values.ts'
import { items, Void } from './void.ts'
import { GROWTH_PER_BYTE, GROWTH_PER_OP } from './weight.ts'

/*
 *   body        see body-form.ts
 *   snapshot    [sessions, how far each was folded, commits, devices, state]
 *
 * Ops and the state name commits and sessions by their numbers in these lists. How far each session was folded makes a repeated body
 * harmless, and tells a commit that came before from one that is yet to come.
 */

/** The state of one entity with a native kernel. */
export class NativeState implements EntityState {
  readonly version = ''
  readonly #kernel: Kernel
  readonly #closes: boolean
  readonly #seen: Map<SessionId, number>
  /** The entity is an entry of its space. It is the only one here, under the empty key. */
  #entity: Entries<Cell>
  /** It weighs no more than this. */
  #weightBound: number
  #problem: string | undefined
  #skipped: string | undefined
  /** Whether changes are missing of which this state does not know. */
  #isIncomplete = false
  /** The commit of the draft that was finished last, until it is identified. */
  #made: NamedCommit | undefined
  readonly #seenOf = (session: SessionId): number => this.#seen.get(session) ?? 0

  private constructor(
    kernel: Kernel,
    closes: boolean,
    entity: Entries<Cell>,
    seen: Map<SessionId, number>,
    bound: number,
  ) {
    this.#kernel = kernel
    this.#closes = closes
    this.#entity = entity
    this.#seen = seen
    this.#weightBound = bound
  }

  /** `closes` if the deletion of the entity wins against concurrent changes. */
  static empty(kernel: Kernel, closes: boolean): NativeState {
    return new NativeState(kernel, closes, new Entries(() => kernel.create()), new Map(), 0)
  }

  /** Throws for anything but a snapshot of this kernel. */
  static load(kernel: Kernel, closes: boolean, snapshot: Value): NativeState {
    const fields = items(snapshot, 5)
    const { table, seen } = readTable(fields)
    const saved = fields[4]!
    const entity = new Entries(() => kernel.create())
    const load = (content: Value | undefined): Cell =>
      content === undefined ? kernel.create() : kernel.load(content, table)
    if (saved !== null) entity.load(saved, table, readText, load)
    return new NativeState(kernel, closes, entity, seen, Number.POSITIVE_INFINITY)
  }

  get problem(): string | undefined {
    return this.#problem
  }

  get skipped(): string | undefined {
    return this.#skipped
  }

  get mirror(): Json {
    return this.#kernel.show(this.#entity.get(ENTITY))
  }

  get exists(): boolean {
    return this.#entity.isPresent(ENTITY)
  }

  fold(bodies: readonly Body[]): readonly Body[] {
    return bodies.filter((body) => {
      const isVoid = !this.#problem && !this.#foldOne(body)
      if (this.#weightUpTo(limits.entityBytes) > limits.entityBytes) this.#giveUp()
      return isVoid
    })
  }

  markIncomplete(): void {
    this.#isIncomplete = true
  }

  begin(origin: Origin): Draft {
    const { session, seq } = origin
    const commit = new NamedCommit(session, seq, '')
    const table = new CommitTable(this.#seenOf, { own: origin })
    const context = new OpContext(origin, table, commit, { isDraft: true })
    const allowed = Math.max(limits.entityCommandBytes, this.#weightUpTo(limits.entityCommandBytes))
    const draft: DraftPlace = {
      table,
      get index() {
        return context.index
      },
      isTight: this.#weightUpTo(limits.entityCommandBytes) > limits.entityCommandBytes,
      isComplete: this.#skipped === undefined && !this.#isIncomplete,
    }
    const closes = this.#closes
    const place = { kernel: this.#kernel, entity: this.#entity, context, draft, closes }
    return new NativeDraft(place, (body, ops) => {
      this.#grow(body.length, ops)
      const weight = this.#weightUpTo(allowed)
      if (weight > allowed) {
        const reason = `an entity would hold ${weight} bytes, and commands may fill ${limits.entityCommandBytes}`
        throw new PeerplaneError('too-large', reason)
      }
      this.#see(context)
      this.#made = commit
    })
  }

  identify({ origin: { session, seq }, prefix }: Body): void {
    const made = this.#made
    if (made?.session === session && made.seq === seq) made.identify(prefix)
    this.#made = undefined
  }

  snapshot(): Uint8Array {
    // Numbers are given in the order of the state, which is the same on every device.
    const table = new CommitTable(this.#seenOf, { sessions: [...this.#seen.keys()].sort() })
    const save = (cell: Cell): Value | undefined => this.#kernel.save(cell, table)
    const saved = this.#entity.save(table, save) ?? null
    return encodeCanonical([...tableToValues(table), saved])
  }

  close(): void {}

  /** Whether the body keeps the rules, or was folded before. */
  #foldOne({ origin, prefix, bytes }: Body): boolean {
    if (origin.seq <= this.#seenOf(origin.session)) return true
    let context: OpContext | undefined
    try {
      const { session, seq } = origin
      const { commits, ops, generation, other } = readBody(bytes, session)
      const table = new CommitTable(this.#seenOf, { commits })
      this.#grow(bytes.length, ops.length)
      const commit = new NamedCommit(session, seq, prefix)
      context = new OpContext(origin, table, commit, { bodyBytes: bytes.length })
      const skipped = applyAll(this.#kernel, this.#entity, { ops, generation }, context)
      this.#see(context)
      this.#skipped ??= other
      this.#skipped ??= skipped?.message
      return true
    } catch (error) {
      context?.revert(0)
      if (error instanceof Void) return false
      throw error
    }
  }

  #grow(bytes: number, ops: number): void {
    this.#weightBound += ops * GROWTH_PER_OP + bytes * GROWTH_PER_BYTE
  }

  /** The weight of the state if that is more than `limit`, otherwise at most `limit`. */
  #weightUpTo(limit: number): number {
    if (this.#weightBound > limit) {
      this.#weightBound = this.#entity.weigh((cell) => this.#kernel.weigh(cell))
    }
    return this.#weightBound
  }

  /** What it holds is freed: nobody can look at it. */
  #giveUp(): void {
    this.#problem = `it holds more than ${limits.entityBytes} bytes`
    this.#entity = new Entries(() => this.#kernel.create())
    this.#weightBound = 0
  }

  #see(context: OpContext): void {
    const { session, seq } = context.origin
    const before = this.#seen.get(session)
    this.#seen.set(session, seq)
    context.undo(() => {
      if (before === undefined) this.#seen.delete(session)
      else this.#seen.set(session, before)
    })
  }
}

/** The commits that a body lists, and its ops. A change of a document counts as one op. */
function readBody(
  bytes: Uint8Array,
  session: SessionId,
): {
  readonly commits: NamedCommit[]
  readonly ops: readonly Value[]
  readonly generation: number
  /** Why the body has no effect: it was written for another kind of state. */
  readonly other?: string
} {
  const { kind, fields, generation } = readForm(bytes)
  const [named, ops] = fields
  if (kind === 'document') return { commits: [], ops: [named!], generation }
  if (kind === 'writer') return { commits: [], ops: [], generation, other: OF_WRITER }
  return { commits: readNamed(named, session), ops: items(ops), generation }
}

const OF_WRITER = 'it was written by a single writer'
