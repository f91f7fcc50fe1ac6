import {
  encodeCanonical,
  limits,
  type Body,
  type Draft,
  type EntitySize,
  type EntityState,
  type Json,
  type Origin,
  type SessionId,
  type Value,
} from '@peerplane/core'

import type { Cell, HandleDraft, Kernel } from './kernel.ts'
import { Entries } from './entries.ts'
import { readForm, readNamed } from './body-form.ts'
import { applyAll, ENTITY } from './entity-ops.ts'
import { NativeDraft } from './native-draft.ts'
import { CommitTable, NamedCommit, readTable, tableToValues } from './commits.ts'
import { OpContext } from './op-context.ts'
import { readText } from './values.ts'
import { items, Void, whole } from './void.ts'
import {
  GROWTH_PER_BYTE,
  GROWTH_PER_OP,
  isLarge,
  LARGE_BYTES,
  requireRoom,
  sizeOf,
} from './weight.ts'

/*
 *   body        see body-form.ts
 *   snapshot    [sessions, how far each was folded, commits, devices, state, how many ops were folded]
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
  /** Its weight when that was last computed. */
  #weighed = 0
  /** How many ops were folded that are not void. */
  #ops: number
  #changedMs = 0
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
    { bound, ops }: { readonly bound: number; readonly ops: number },
  ) {
    this.#kernel = kernel
    this.#closes = closes
    this.#entity = entity
    this.#seen = seen
    this.#weightBound = bound
    this.#ops = ops
  }

  /** `closes` if the deletion of the entity wins against concurrent changes. */
  static empty(kernel: Kernel, closes: boolean): NativeState {
    return new NativeState(kernel, closes, new Entries(() => kernel.create()), new Map(), {
      bound: 0,
      ops: 0,
    })
  }

  /** Throws for anything but a snapshot of this kernel. */
  static load(kernel: Kernel, closes: boolean, snapshot: Value): NativeState {
    const fields = items(snapshot, 7)
    const { table, seen } = readTable(fields)
    const saved = fields[4]!
    const entity = new Entries(() => kernel.create())
    const load = (content: Value | undefined): Cell =>
      content === undefined ? kernel.create() : kernel.load(content, table)
    if (saved !== null) entity.load(saved, table, readText, load)
    const ops = whole(fields[5])
    const state = new NativeState(kernel, closes, entity, seen, {
      bound: Number.POSITIVE_INFINITY,
      ops,
    })
    state.#changedMs = whole(fields[6])
    return state
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

  get changedMs(): number {
    return this.#changedMs
  }

  get size(): EntitySize {
    // Computing it takes a time that grows with the state.
    if (this.#weightBound - this.#weighed > this.#weighed / 8) this.#weigh()
    return sizeOf(this.#weightBound, this.#ops)
  }

  get isLarge(): boolean {
    return isLarge(this.#weightUpTo(LARGE_BYTES))
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
    const draft: HandleDraft = {
      table,
      get index() {
        return context.index
      },
      isTight: this.#weightUpTo(limits.entityCommandBytes) > limits.entityCommandBytes,
      isComplete: this.#skipped === undefined && !this.#isIncomplete,
      takeBack: () => native.takeBack(),
    }
    const closes = this.#closes
    const place = { kernel: this.#kernel, entity: this.#entity, context, draft, closes }
    const native = new NativeDraft(place, (body, ops) => {
      this.#grow(body.length, ops)
      requireRoom(this.#weightUpTo(allowed), allowed)
      this.#see(context, ops)
      this.#made = commit
    })
    return native
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
    return encodeCanonical([...tableToValues(table), saved, this.#ops, this.#changedMs])
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
      this.#see(context, ops.length)
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
    if (this.#weightBound > limit) this.#weigh()
    return this.#weightBound
  }

  #weigh(): void {
    this.#weighed = this.#entity.weigh((cell) => this.#kernel.weigh(cell))
    this.#weightBound = this.#weighed
  }

  /** What it holds is freed: nobody can look at it. */
  #giveUp(): void {
    this.#problem = `it holds more than ${limits.entityBytes} bytes`
    this.#entity = new Entries(() => this.#kernel.create())
    this.#weightBound = 0
  }

  #see(context: OpContext, ops: number): void {
    const { session, seq, time } = context.origin
    const before = this.#seen.get(session)
    const changedMs = this.#changedMs
    this.#changedMs = Math.max(changedMs, time.ms)
    this.#seen.set(session, seq)
    this.#ops += ops
    context.undo(() => {
      this.#ops -= ops
      this.#changedMs = changedMs
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
