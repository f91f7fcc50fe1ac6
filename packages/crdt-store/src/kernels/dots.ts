import type { Value } from '@peerplane/core'

import type { OpDot } from './op-dot.ts'
import type { SessionReader, SessionWriter } from './sessions.ts'
import type { OpContext } from './op-context.ts'
import { items, Void, whole } from './void.ts'

/**
 * The ops of one place that no other op supersedes: what was applied less what was named, whatever the order of both.
 *
 * An honest op names only ops that were applied before it everywhere. A forged one may name what is still to come; unless that is kept in
 * mind until it comes, replicas that saw the two in different orders would differ for ever.
 */
export class Survivors<D extends OpDot> {
  /** A list while there are few, as there nearly always are. */
  #live: readonly D[] | Map<string, D>
  /** Named before they came. */
  #expected: Map<string, OpDot> | undefined

  constructor(live: readonly D[] = [], expected: readonly OpDot[] = []) {
    this.#live = live.length > FEW ? byKey(live) : live
    if (expected.length > 0) this.#expected = byKey(expected)
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

  /** Applies the arrival of an op. */
  add(dot: D, context: OpContext): void {
    if (this.#expected?.has(keyOf(dot))) return
    this.#insert(dot)
    context.undo(() => this.#remove(dot))
  }

  /** Applies that another op names these. */
  supersede(dots: readonly OpDot[], context: OpContext): void {
    for (const dot of dots) {
      const live = this.#remove(dot)
      if (live) context.undo(() => this.#insert(live))
      else if (isYetToCome(dot, context)) this.#expect(dot, context)
    }
  }

  #insert(dot: D): void {
    if (this.#live instanceof Map) this.#live.set(keyOf(dot), dot)
    else if (this.#live.length < FEW) this.#live = [...this.#live, dot]
    else this.#live = byKey([...this.#live, dot])
  }

  /** Removes a survivor and returns it. */
  #remove(dot: OpDot): D | undefined {
    let found: D | undefined
    if (this.#live instanceof Map) {
      found = this.#live.get(keyOf(dot))
      if (found) this.#live.delete(keyOf(dot))
    } else {
      found = this.#live.find((each) => compareDots(each, dot) === 0)
      if (found) this.#live = this.#live.filter((each) => each !== found)
    }
    return found
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

const byKey = <D extends OpDot>(dots: readonly D[]): Map<string, D> =>
  new Map(dots.map((dot) => [keyOf(dot), dot]))

/** Own earlier ops have all come: a body is folded after those before it in its session. */
const isYetToCome = ({ session, seq }: OpDot, { origin, sessions }: OpContext): boolean =>
  session !== origin.session && seq > sessions.seen(session)

/** Order of ops that decides nothing: by session, then place in it. */
export function compareDots(a: OpDot, b: OpDot): number {
  if (a.session !== b.session) return a.session < b.session ? -1 : 1
  return a.seq - b.seq || a.index - b.index
}

/** Dots as they stand in a body or a snapshot: three numbers each. */
export function dotsToValue(dots: readonly OpDot[], sessions: SessionWriter): number[] {
  return dots.flatMap(({ session, seq, index }) => [sessions.ref(session), seq, index])
}

/** The dots that an op names. Throws `Void`, also for a dot of the op's own session that does not come before it. */
export function readSuperseded(value: Value | undefined, context: OpContext): OpDot[] {
  const dots = readDots(value, context.sessions)
  const { session, seq } = context.origin
  for (const dot of dots) {
    if (dot.session === session && (dot.seq - seq || dot.index - context.index) >= 0) {
      throw new Void('an op supersedes itself or one that comes later')
    }
  }
  return dots
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
