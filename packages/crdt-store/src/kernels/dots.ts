import type { SessionId, Value } from '@peerplane/core'

import type { OpDot } from './op-dot.ts'
import type { SessionReader, SessionWriter } from './sessions.ts'
import type { OpContext } from './op-context.ts'
import { items, Void, whole } from './void.ts'

/**
 * The ops of one place that no other op supersedes, at most one of each session: what was applied less what was named, whatever the order of
 * both, and less what its own session followed by another.
 *
 * An honest op names only ops that were applied before it everywhere. A forged one may name what is still to come; unless that is kept in
 * mind until it comes, replicas that saw the two in different orders would differ for ever.
 */
export class Survivors<D extends OpDot> {
  /** A list while there are few, as there nearly always are. */
  #live: readonly D[] | Map<SessionId, D>
  /** Named before they came. */
  #expected: Map<string, OpDot> | undefined

  constructor(live: readonly D[] = [], expected: readonly OpDot[] = []) {
    this.#live = live.length > FEW ? bySession(live) : live
    if (expected.length > 0) this.#expected = new Map(expected.map((dot) => [keyOf(dot), dot]))
  }

  get size(): number {
    return this.#live instanceof Map ? this.#live.size : this.#live.length
  }

  /** Whether there is nothing to remember. */
  get isBlank(): boolean {
    return this.size === 0 && !this.#expected?.size
  }

  /** The survivors, in no particular order. */
  values(): Iterable<D> {
    return this.#live.values()
  }

  /** The survivors by session and place in it. */
  sorted(): D[] {
    return [...this.#live.values()].sort(compareDots)
  }

  /** What a snapshot keeps beside the survivors: without what has come or never will. */
  expected(sessions: SessionWriter): OpDot[] {
    if (!this.#expected) return []
    return [...this.#expected.values()]
      .filter((dot) => dot.seq > sessions.seen(dot.session))
      .sort(compareDots)
  }

  /** Applies the arrival of an op that may survive, after {@link supersede}. */
  add(dot: D, context: OpContext): void {
    if (this.#expected?.has(keyOf(dot))) return
    this.#insert(dot)
    context.undo(() => this.#remove(dot))
  }

  /** Applies that an op names these of other sessions. It also supersedes the earlier one of its own session. */
  supersede(dots: readonly OpDot[], context: OpContext): void {
    const own = this.#of(context.origin.session)
    if (own) this.#take(own, context)
    for (const dot of dots) {
      const live = this.#of(dot.session)
      if (live && compareDots(live, dot) === 0) this.#take(live, context)
      else if (dot.seq > context.sessions.seen(dot.session)) this.#expect(dot, context)
    }
  }

  #take(live: D, context: OpContext): void {
    this.#remove(live)
    context.undo(() => this.#insert(live))
  }

  #of(session: SessionId): D | undefined {
    if (this.#live instanceof Map) return this.#live.get(session)
    return this.#live.find((each) => each.session === session)
  }

  #insert(dot: D): void {
    if (this.#live instanceof Map) this.#live.set(dot.session, dot)
    else if (this.#live.length < FEW) this.#live = [...this.#live, dot]
    else this.#live = bySession([...this.#live, dot])
  }

  #remove({ session }: OpDot): void {
    if (this.#live instanceof Map) this.#live.delete(session)
    else this.#live = this.#live.filter((each) => each.session !== session)
  }

  #expect(dot: OpDot, context: OpContext): void {
    const key = keyOf(dot)
    const expected = (this.#expected ??= new Map())
    if (expected.has(key)) return
    expected.set(key, dot)
    context.undo(() => expected.delete(key))
  }
}

const FEW = 8

const keyOf = ({ session, seq, index }: OpDot): string => `${seq}.${index}.${session}`

const bySession = <D extends OpDot>(dots: readonly D[]): Map<SessionId, D> =>
  new Map(dots.map((dot) => [dot.session, dot]))

/** Order of ops that decides nothing: by session, then place in it. */
export function compareDots(a: OpDot, b: OpDot): number {
  if (a.session !== b.session) return a.session < b.session ? -1 : 1
  return a.seq - b.seq || a.index - b.index
}

/** Dots as they stand in a body or a snapshot: three numbers each. A body names none of its own session. */
export function dotsToValue(dots: readonly OpDot[], sessions: SessionWriter): number[] {
  const named = dots.filter(({ session }) => session !== sessions.own)
  return named.flatMap(({ session, seq, index }) => [sessions.ref(session), seq, index])
}

/** Inverse of {@link dotsToValue}. Throws `Void`. */
export function readDots(value: Value | undefined, sessions: SessionReader): OpDot[] {
  const numbers = items(value)
  if (numbers.length % 3 !== 0) throw new Void('a dot has three numbers')
  const dots: OpDot[] = []
  for (let i = 0; i < numbers.length; i += 3) {
    dots.push({
      session: sessions.session(numbers[i]),
      seq: whole(numbers[i + 1], 1),
      index: whole(numbers[i + 2]),
    })
  }
  return dots
}
