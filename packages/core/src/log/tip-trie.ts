import { concatBytes, fromHex, toHex } from '../bytes.ts'
import { encodeCanonical } from '../codec.ts'
import { hash } from '../hash.ts'
import type { SessionId } from '../ids.ts'
import { MAX_SEQ } from './commit.ts'
import type { Frontier } from './frontier.ts'
import { tipToValue, type Tip } from './tip.ts'

/** A summary of the tips of all sessions whose ids begin with `path`. */
export interface Summary {
  /** A prefix of session ids, in hexadecimal digits. The empty path stands for all sessions. */
  readonly path: string
  readonly sessions: number
  /** The number of commits. Of a forked session, only the commits before the fork are counted. */
  readonly commits: number
  /**
   * A hash over the tips, as 32 hexadecimal digits. Two replicas have the same digest if and only if they hold the same tips. Finding a collision of
   * digests takes 2^64 hashes.
   */
  readonly digest: string
}

/** The maximum number of sessions below a leaf of the trie. */
export const LEAF_SESSIONS = 16

const DIGEST_BYTES = 16
const DIGITS = '0123456789abcdef'.split('')
const NOTHING = '00'.repeat(DIGEST_BYTES)

/**
 * The tips of a replica as a Merkle radix trie (similar to Merkle search trees, Auvolat and Taïani 2019). Two replicas find a difference by comparing
 * the digests of a few nodes of the trie, however many sessions there are.
 *
 *     digest(path) = 0                                            no session
 *                    H("tips", CBOR [tip…])                       1 to 16 sessions, by id
 *                    H("tip-trie", digest(path0) … digest(pathf)) more
 *
 * The digests depend only on the tips, not on the order in which they were added. A changed tip makes the digests on its path from the root stale; a
 * stale digest is computed again when it is read. Changing a tip costs the same with ten sessions as with a million.
 */
export class TipTrie {
  readonly #tips = new Map<SessionId, Tip>()
  /** All tips, as a map that changes whenever the trie changes. */
  readonly all: Frontier = this.#tips
  /** Session ids in ascending order, without the new ids in `#fresh`, which are not sorted yet. */
  #sorted: SessionId[] = []
  #fresh: SessionId[] = []
  /** Session ids in the order in which they were added. */
  readonly #order: SessionId[] = []
  readonly #placed = new Set<SessionId>()
  readonly #summaries = new Map<string, Summary>()
  #deepest = 0
  #commits = 0

  /** The number of commits, as in the summary of all tips, but without the cost of a digest. */
  get commits(): number {
    return this.#commits
  }

  set(tip: Tip): void {
    const { session } = tip
    const before = this.#tips.get(session)
    if (!before) this.#fresh.push(session)
    this.#commits += commitsOf(tip) - (before ? commitsOf(before) : 0)
    this.#tips.set(session, tip)
    if (!this.#placed.has(session)) {
      this.#placed.add(session)
      this.#order.push(session)
    }
    this.#forget(session)
  }

  delete(session: SessionId): void {
    const before = this.#tips.get(session)
    if (!before) return
    this.#commits -= commitsOf(before)
    this.#tips.delete(session)
    this.#sort()
    this.#sorted.splice(this.#indexOf(session), 1)
    this.#forget(session)
  }

  /** Returns the summary of the tips below a path. */
  summary(path = ''): Summary {
    const known = this.#summaries.get(path)
    if (known) return known
    const [from, to] = this.#range(path)
    const summary =
      to - from > LEAF_SESSIONS ? this.#divided(path, to - from) : this.#leaf(path, from, to)
    this.#summaries.set(path, summary)
    this.#deepest = Math.max(this.#deepest, path.length)
    return summary
  }

  /** Returns the summaries of the sixteen children of a path. */
  children(path: string): Summary[] {
    return DIGITS.map((digit) => this.summary(path + digit))
  }

  /** Returns the tips below a path in the order of their session ids, but at most `LEAF_SESSIONS` of them. */
  under(path: string): Tip[] {
    const [from, to] = this.#range(path)
    return this.#sorted.slice(from, Math.min(to, from + LEAF_SESSIONS)).map(this.#tipOf)
  }

  /**
   * Returns a page of the tips below a path, in the order in which their sessions were added, so ancestors come before descendants. The page begins
   * at place `after`. `next` is the place at which the next page begins, or 0 after the last page.
   */
  page(path: string, after: number, most: number): { readonly tips: Tip[]; readonly next: number } {
    const tips: Tip[] = []
    let place = after
    for (; place < this.#order.length && tips.length < most; place++) {
      const session = this.#order[place]!
      const tip = session.startsWith(path) ? this.#tips.get(session) : undefined
      if (tip) tips.push(tip)
    }
    return { tips, next: place < this.#order.length ? place : 0 }
  }

  readonly #tipOf = (session: SessionId): Tip => this.#tips.get(session)!

  #leaf(path: string, from: number, to: number): Summary {
    const tips = this.#sorted.slice(from, to).map(this.#tipOf)
    const commits = tips.reduce((sum, tip) => sum + commitsOf(tip), 0)
    const digest =
      tips.length === 0
        ? NOTHING
        : toHex(hash('tips', encodeCanonical(tips.map(tipToValue))).slice(0, DIGEST_BYTES))
    return { path, sessions: tips.length, commits, digest }
  }

  #divided(path: string, sessions: number): Summary {
    const children = this.children(path)
    const commits = children.reduce((sum, child) => sum + child.commits, 0)
    const digests = concatBytes(...children.map(({ digest }) => fromHex(digest)))
    const digest = toHex(hash('tip-trie', digests).slice(0, DIGEST_BYTES))
    return { path, sessions, commits, digest }
  }

  #forget(session: SessionId): void {
    for (let length = 0; length <= this.#deepest; length++) {
      this.#summaries.delete(session.slice(0, length))
    }
  }

  #range(path: string): readonly [number, number] {
    this.#sort()
    return [this.#indexOf(path), this.#indexOf(`${path}g`)]
  }

  /** Returns the index of the first id that is not less than `text`. */
  #indexOf(text: string): number {
    let low = 0
    let high = this.#sorted.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#sorted[middle]! < text) low = middle + 1
      else high = middle
    }
    return low
  }

  #sort(): void {
    if (this.#fresh.length === 0) return
    if (this.#fresh.length <= FEW) {
      for (const session of this.#fresh) this.#sorted.splice(this.#indexOf(session), 0, session)
    } else {
      this.#sorted.push(...this.#fresh)
      this.#sorted.sort()
    }
    this.#fresh = []
  }
}

/** Up to this number, new ids are inserted one by one. */
const FEW = 16

/** Returns the number of commits that a tip stands for. */
const commitsOf = ({ seq }: Tip): number =>
  seq > MAX_SEQ ? Number.MAX_SAFE_INTEGER - seq - 1 : seq
