import {
  decodeCanonical,
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
import { NativeDraft } from './native-draft.ts'
import type { OtherKind } from './other-kind.ts'
import { CommitTable, NamedCommit, readCommits, readTable, tableToValues } from './commits.ts'
import { OpContext } from './op-context.ts'
import { items, Void } from './void.ts'
import { GROWTH_PER_BYTE, GROWTH_PER_OP } from './weight.ts'

/*
 *   body        [commits of other sessions, ops]
 *   snapshot    [sessions, how far each was folded, commits, devices, state]
 *
 * Ops and the state name commits and sessions by their numbers in these lists. How far each session was folded makes a repeated body
 * harmless, and tells a commit that came before from one that is yet to come.
 */

/** The state of one entity with a native kernel. */
export class NativeState implements EntityState {
  readonly version = ''
  readonly #kernel: Kernel
  readonly #seen: Map<SessionId, number>
  #root: Cell
  /** It weighs no more than this. */
  #weightBound: number
  #problem: string | undefined
  #skipped: string | undefined
  /** The commit of the draft that was finished last, until it is identified. */
  #made: NamedCommit | undefined
  readonly #seenOf = (session: SessionId): number => this.#seen.get(session) ?? 0

  private constructor(kernel: Kernel, root: Cell, seen: Map<SessionId, number>, bound: number) {
    this.#kernel = kernel
    this.#root = root
    this.#seen = seen
    this.#weightBound = bound
  }

  static empty(kernel: Kernel): NativeState {
    return new NativeState(kernel, kernel.create(), new Map(), 0)
  }

  /** Throws for anything but a snapshot of this kernel. */
  static load(kernel: Kernel, snapshot: Value): NativeState {
    const fields = items(snapshot, 5)
    const { table, seen } = readTable(fields)
    const saved = fields[4]!
    const root = saved === null ? kernel.create() : kernel.load(saved, table)
    return new NativeState(kernel, root, seen, Number.POSITIVE_INFINITY)
  }

  get problem(): string | undefined {
    return this.#problem
  }

  get skipped(): string | undefined {
    return this.#skipped
  }

  get mirror(): Json {
    return this.#kernel.show(this.#root)
  }

  fold(bodies: readonly Body[]): readonly Body[] {
    return bodies.filter((body) => {
      const isVoid = !this.#problem && !this.#foldOne(body)
      if (this.#weightUpTo(limits.entityBytes) > limits.entityBytes) this.#giveUp()
      return isVoid
    })
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
      isComplete: this.#skipped === undefined,
    }
    return new NativeDraft(this.#kernel, this.#root, context, draft, (body, ops) => {
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
    const saved = this.#kernel.save(this.#root, table) ?? null
    return encodeCanonical([...tableToValues(table), saved])
  }

  close(): void {}

  /** Whether the body keeps the rules, or was folded before. */
  #foldOne({ origin, prefix, bytes }: Body): boolean {
    if (origin.seq <= this.#seenOf(origin.session)) return true
    let context: OpContext | undefined
    try {
      const { session, seq } = origin
      const { commits, ops, other } = readBody(bytes, session)
      const table = new CommitTable(this.#seenOf, { commits })
      this.#grow(bytes.length, ops.length)
      const commit = new NamedCommit(session, seq, prefix)
      context = new OpContext(origin, table, commit, { bodyBytes: bytes.length })
      const skipped = this.#applyAll(ops, context)
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

  /** Applies ops; one of another kind has no effect. Returns the first of these. */
  #applyAll(ops: readonly Value[], context: OpContext): OtherKind | undefined {
    let skipped: OtherKind | undefined
    for (const [index, op] of ops.entries()) {
      const before = context.mark()
      context.index = index
      const other = this.#kernel.apply(this.#root, op, context)
      if (!other) continue
      context.revert(before)
      skipped ??= other
    }
    return skipped
  }

  #grow(bytes: number, ops: number): void {
    this.#weightBound += ops * GROWTH_PER_OP + bytes * GROWTH_PER_BYTE
  }

  /** The weight of the state if that is more than `limit`, otherwise at most `limit`. */
  #weightUpTo(limit: number): number {
    if (this.#weightBound > limit) this.#weightBound = this.#kernel.weigh(this.#root)
    return this.#weightBound
  }

  /** What it holds is freed: nobody can look at it. */
  #giveUp(): void {
    this.#problem = `it holds more than ${limits.entityBytes} bytes`
    this.#root = this.#kernel.create()
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
  /** Why the body has no effect: it was written for another kind of state. */
  readonly other?: string
} {
  const fields = items(decode(bytes))
  const [named, list] = fields
  if (named instanceof Uint8Array) return { commits: [], ops: [named] }
  if (isOfWriter(fields))
    return { commits: [], ops: [], other: 'it was written by a single writer' }
  if (fields.length !== 2) throw new Void('a body has two parts')
  const commits = readCommits(named)
  if (commits.some((each) => each.session === session)) {
    throw new Void('a body names its own session')
  }
  const ops = items(list)
  if (ops.length > limits.opsPerSection) throw new Void('too many ops')
  return { commits, ops }
}

/** Whether a body has the form of one of a state with a single writer. */
const isOfWriter = ([form, ...rest]: readonly Value[]): boolean =>
  ((form === 1 || form === 2) && rest.length === 1) || (form === 3 && rest.length === 5)

function decode(body: Uint8Array): Value {
  try {
    return decodeCanonical(body)
  } catch {
    // Ignored: whatever it was; also bytes nested so deeply that the stack overflows are beyond every limit.
    throw new Void('the body is not canonical')
  }
}
