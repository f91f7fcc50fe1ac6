import { concatBytes, fromHex, toHex } from '../bytes.ts'
import { encodeCanonical } from '../codec.ts'
import { hash } from '../hash.ts'
import type { SessionId } from '../ids.ts'
import { MAX_SEQ } from './commit.ts'
import type { Frontier } from './frontier.ts'
import { tipToValue, type Tip } from './tip.ts'

/** What is held of the sessions whose ids begin with `path`. */
export interface Summary {
  /** Hexadecimal digits; empty for all sessions. */
  readonly path: string
  readonly sessions: number
  /** Of a forked session those before the fork. */
  readonly commits: number
  /** 32 hexadecimal digits. Two replicas have the same digest exactly if they hold the same tips: a collision costs 2^64 hashes. */
  readonly digest: string
}

/** Sessions below a node that is not divided further. */
export const LEAF_SESSIONS = 16

const DIGEST_BYTES = 16
const DIGITS = '0123456789abcdef'.split('')
const NOTHING = '00'.repeat(DIGEST_BYTES)

/**
 * The tips of a replica as a Merkle radix trie (as in Merkle search trees, Auvolat and Taïani 2019): two replicas find a difference by comparing
 * the digests of a few nodes, whatever the number of sessions.
 *
 *     digest(path) = 0                                            no session
 *                    H("tips", CBOR [tip…])                       1 to 16 sessions, by id
 *                    H("tip-trie", digest(path0) … digest(pathf)) more
 *
 * It is a function of the tips alone. A change makes the digests of one path stale, which are computed when somebody asks: it costs the same
 * with ten sessions and with a million.
 */
export class TipTrie {
  readonly #tips = new Map<SessionId, Tip>()
  /** All tips. It changes with the trie. */
  readonly all: Frontier = this.#tips
  /** Ids in ascending order, but for those of `#fresh`. */
  #sorted: SessionId[] = []
  #fresh: SessionId[] = []
  /** In the order in which they came. */
  readonly #order: SessionId[] = []
  readonly #placed = new Set<SessionId>()
  readonly #summaries = new Map<string, Summary>()
  #deepest = 0

  set(tip: Tip): void {
    const { session } = tip
    if (!this.#tips.has(session)) this.#fresh.push(session)
    this.#tips.set(session, tip)
    if (!this.#placed.has(session)) {
      this.#placed.add(session)
      this.#order.push(session)
    }
    this.#forget(session)
  }

  delete(session: SessionId): void {
    if (!this.#tips.delete(session)) return
    this.#sort()
    this.#sorted.splice(this.#indexOf(session), 1)
    this.#forget(session)
  }

  /** What is held below a path. */
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

  /** The sixteen nodes below a path. */
  children(path: string): Summary[] {
    return DIGITS.map((digit) => this.summary(path + digit))
  }

  /** The tips below a path by id: of a node with more than `LEAF_SESSIONS`, only so many. */
  under(path: string): Tip[] {
    const [from, to] = this.#range(path)
    return this.#sorted.slice(from, Math.min(to, from + LEAF_SESSIONS)).map(this.#tipOf)
  }

  /**
   * Tips below a path in the order in which their sessions came here: so ancestors come before descendants. Begins at place `after`;
   * `next` is where to go on, 0 at the end.
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

  /** Where the first id stands that is not below `text`. */
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

/** So many new ids are inserted one by one. */
const FEW = 16

/** Commits that a tip stands for. */
const commitsOf = ({ seq }: Tip): number =>
  seq > MAX_SEQ ? Number.MAX_SAFE_INTEGER - seq - 1 : seq
