import {
  decodeCanonical,
  encodeCanonical,
  limits,
  type Body,
  type Draft,
  type EntityState,
  type Json,
  type Origin,
  type SessionId,
  type Value,
} from '@peerplane/core'

import type { Cell, Kernel } from './kernel.ts'
import { NativeDraft } from './native-draft.ts'
import { OtherKind } from './op.ts'
import { readSessions, SessionTable, sessionsToValue } from './sessions.ts'
import { OpContext } from './op-context.ts'
import { items, Void, whole } from './void.ts'

/*
 *   body        [other sessions, ops]                 refs: the list
 *   snapshot    [sessions, how far each was folded, state]      refs: the list, sorted
 *
 * How far each session was folded makes a repeated body harmless, and tells an op that was superseded from one that is yet to come.
 */

/** The state of one entity with a native kernel. */
export class NativeState implements EntityState {
  readonly version = ''
  readonly #kernel: Kernel
  readonly #root: Cell
  readonly #seen: Map<SessionId, number>
  #problem: string | undefined
  readonly #seenOf = (session: SessionId): number => this.#seen.get(session) ?? 0

  private constructor(kernel: Kernel, root: Cell, seen: Map<SessionId, number>) {
    this.#kernel = kernel
    this.#root = root
    this.#seen = seen
  }

  static empty(kernel: Kernel): NativeState {
    return new NativeState(kernel, kernel.create(), new Map())
  }

  /** Throws for anything but a snapshot of this kernel. */
  static load(kernel: Kernel, snapshot: Value): NativeState {
    const [ids, numbers, saved] = items(snapshot, 3)
    const sessions = readSessions(ids)
    const seqs = items(numbers, sessions.length).map((seq) => whole(seq))
    const seen = new Map<SessionId, number>()
    sessions.forEach((session, i) => {
      if (seqs[i]! > 0) seen.set(session, seqs[i]!)
    })
    const table = new SessionTable(sessions, (session) => seen.get(session) ?? 0)
    const root = saved === null ? kernel.create() : kernel.load(saved!, table)
    return new NativeState(kernel, root, seen)
  }

  get problem(): string | undefined {
    return this.#problem
  }

  get mirror(): Json {
    return this.#kernel.show(this.#root)
  }

  fold(bodies: readonly Body[]): readonly Body[] {
    return bodies.filter((body) => !this.#problem && !this.#foldOne(body))
  }

  begin(origin: Origin): Draft {
    const sessions = new SessionTable([], this.#seenOf, origin.session)
    const context = new OpContext(origin, sessions)
    return new NativeDraft(this.#kernel, this.#root, context, sessions, () => this.#see(context))
  }

  snapshot(): Uint8Array {
    const table = new SessionTable([...this.#seen.keys()].sort(), this.#seenOf)
    const known = table.list.length
    const saved = this.#kernel.save(this.#root, table) ?? null
    if (table.list.length === known) return encodeSnapshot(table, saved)
    // Forged ops named sessions that were never folded: refs again from a sorted list, which is the same on every device.
    const sorted = new SessionTable(table.list.sort(), this.#seenOf)
    return encodeSnapshot(sorted, this.#kernel.save(this.#root, sorted) ?? null)
  }

  close(): void {}

  /** Whether the body has, or had before, the effect it asks for; also where it shows the {@link problem}. */
  #foldOne({ origin, bytes }: Body): boolean {
    if (origin.seq <= this.#seenOf(origin.session)) return true
    let context: OpContext | undefined
    try {
      const [others, list] = items(decode(bytes), 2)
      if (others instanceof Uint8Array) throw new OtherKind('document', this.#kernel.kind)
      const sessions = new SessionTable(readSessions(others), this.#seenOf)
      if (sessions.list.includes(origin.session)) throw new Void('a body names its own session')
      const ops = items(list)
      if (ops.length > limits.opsPerSection) throw new Void('too many ops')
      context = new OpContext(origin, sessions, bytes.length)
      for (const op of ops) {
        this.#kernel.apply(this.#root, op, context)
        context.index++
      }
      this.#see(context)
      return true
    } catch (error) {
      context?.revert(0)
      if (error instanceof Void) return false
      if (!(error instanceof OtherKind)) throw error
      this.#problem = error.message
      return true
    }
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

function decode(body: Uint8Array): Value {
  try {
    return decodeCanonical(body)
  } catch {
    // Ignored: whatever it was; also bytes nested so deeply that the stack overflows are beyond every limit.
    throw new Void('the body is not canonical')
  }
}

const encodeSnapshot = ({ list, seen }: SessionTable, saved: Value): Uint8Array =>
  encodeCanonical([sessionsToValue(list), list.map(seen), saved])
