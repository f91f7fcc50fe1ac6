import type { SessionId, Value } from '@peerplane/core'

import { NamedCommit, prefixesOf, readPrefixes } from './commits.ts'
import type { OpContext } from './op-context.ts'
import { Void, whole } from './void.ts'
import { ADDED_BYTES, PART_BYTES } from './weight.ts'

/** A commit that has added to a counter, and the total of its session after it. */
interface Added {
  readonly commit: NamedCommit
  readonly total: number
}

/**
 * What one session has added to a counter. It keeps which commits have added since the last removal: a removal must name one of them, and not
 * only its place.
 */
export class Share {
  #total = 0
  #taken = 0
  #added: Added[] = []

  /** Inverse of {@link save}. Throws `Void`. */
  static load(session: SessionId, saved: readonly Value[]): Share {
    const [total, taken = 0, prefixes = new Uint8Array(0), ...numbers] = saved
    const share = new Share()
    share.#total = whole(total, Number.MIN_SAFE_INTEGER)
    share.#taken = whole(taken, Number.MIN_SAFE_INTEGER)
    const list = readPrefixes(prefixes, numbers.length / 2)
    let seq = 0
    for (const [i, prefix] of list.entries()) {
      seq += whole(numbers[2 * i], 1)
      const after = whole(numbers[2 * i + 1], Number.MIN_SAFE_INTEGER)
      share.#added.push({ commit: new NamedCommit(session, seq, prefix), total: after })
    }
    return share
  }

  /** All that the session has ever added. */
  get total(): number {
    return this.#total
  }

  /** How much of it removals have taken back. */
  get taken(): number {
    return this.#taken
  }

  /** The last commit that has added something, unless it was taken back. */
  get latest(): NamedCommit | undefined {
    return this.#added.at(-1)?.commit
  }

  /** In the bytes of `limits.entityBytes`. */
  get weight(): number {
    return PART_BYTES + this.#added.length * ADDED_BYTES
  }

  /** Throws `Void` when the total would leave the safe integers. */
  add(by: number, context: OpContext, keepsCommit: boolean): void {
    const before = this.#total
    const total = before + by
    if (!Number.isSafeInteger(by) || !Number.isSafeInteger(total)) {
      throw new Void('a counter leaves the range of whole numbers')
    }
    this.#total = total
    context.undo(() => {
      this.#total = before
    })
    if (keepsCommit) this.#keep({ commit: context.commit, total }, context)
  }

  /** Takes back what was added up to a commit. Returns `false`, and does nothing, if it has added nothing since the last removal. */
  takeBack({ seq, prefix }: NamedCommit, context: OpContext): boolean {
    const at = this.#placeOf(seq)
    const found = this.#added[at]
    if (found?.commit.seq !== seq || found.commit.prefix !== prefix) return false
    this.#takeBack(found.total, at + 1, context)
    return true
  }

  takeBackAll(context: OpContext): void {
    if (this.#added.length > 0) this.#takeBack(this.#total, this.#added.length, context)
  }

  /** For a snapshot: `total`, `taken`, the prefixes of the commits; for each how far it lies after the one before, and the total after it. */
  save(): Value[] {
    const added = this.#added
    if (added.length === 0) return this.#taken === 0 ? [this.#total] : [this.#total, this.#taken]
    const numbers = added.flatMap(({ commit, total }, i) => [
      commit.seq - (added[i - 1]?.commit.seq ?? 0),
      total,
    ])
    return [this.#total, this.#taken, prefixesOf(added.map(({ commit }) => commit)), ...numbers]
  }

  #keep(added: Added, context: OpContext): void {
    const list = this.#added
    const last = list.at(-1)
    if (last?.commit.seq === added.commit.seq) {
      list[list.length - 1] = added
      context.undo(() => {
        list[list.length - 1] = last
      })
    } else {
      list.push(added)
      context.undo(() => list.pop())
    }
  }

  #takeBack(taken: number, count: number, context: OpContext): void {
    const [before, added] = [this.#taken, this.#added]
    this.#taken = taken
    this.#added = added.slice(count)
    context.undo(() => {
      this.#taken = before
      this.#added = added
    })
  }

  /** The place of the first commit at or after `seq`. */
  #placeOf(seq: number): number {
    let low = 0
    let high = this.#added.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#added[middle]!.commit.seq < seq) low = middle + 1
      else high = middle
    }
    return low
  }
}
