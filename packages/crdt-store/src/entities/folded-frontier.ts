import {
  decodeCanonical,
  encodeCanonical,
  wholeField,
  PeerplaneError,
  type Commit,
  type SessionId,
  type Store,
  type Write,
} from '@peerplane/core'

import { foldedKey, foldedKeys, foldedSession } from './keys.ts'

interface CapturedFrontier {
  readonly writes: readonly Write[]
  readonly sessions: number
  stored(): void
  failed(): void
}

/** How far each session is folded, and which of that is not stored yet. */
export class FoldedFrontier {
  seqs: Map<SessionId, number>
  readonly #stored: Map<SessionId, number>
  #changed = new Set<SessionId>()

  /** To be stored with the first changes. */
  #first: readonly Write[]

  private constructor(seqs: Map<SessionId, number>, first: readonly Write[]) {
    this.seqs = seqs
    this.#stored = new Map(seqs)
    this.#first = first
  }

  static async load(store: Store, first: readonly Write[]): Promise<FoldedFrontier> {
    const entries = await store.scan(foldedKeys)
    return new FoldedFrontier(
      new Map(
        entries.map(({ key, value }) => [
          foldedSession(key),
          wholeField(decodeCanonical(value), 'folded'),
        ]),
      ),
      first,
    )
  }

  /** The commits that are not folded yet. Throws `broken-chain` if one before them is missing. */
  fresh(commits: readonly Commit[]): readonly Commit[] {
    const next = new Map<SessionId, number>()
    return commits.filter(({ session, header: { seq } }) => {
      const due = next.get(session) ?? (this.seqs.get(session) ?? 0) + 1
      if (seq > due) {
        throw new PeerplaneError('broken-chain', `commit ${seq} comes where ${due} is to be folded`)
      }
      if (seq === due) next.set(session, seq + 1)
      return seq === due
    })
  }

  advance(session: SessionId, seq: number): void {
    if (seq <= (this.seqs.get(session) ?? 0)) return
    this.seqs.set(session, seq)
    this.#changed.add(session)
  }

  /** States no longer contain what comes after `seq` in a session. */
  retreat(session: SessionId, seq: number): void {
    if (seq >= (this.seqs.get(session) ?? 0)) return
    this.seqs.set(session, seq)
    this.#changed.add(session)
  }

  get isChanged(): boolean {
    return this.#changed.size > 0
  }

  /** Back to what is stored. */
  reset(): void {
    this.seqs = new Map(this.#stored)
    this.#changed.clear()
  }

  /** Nothing is folded. */
  clear(): void {
    this.#stored.clear()
    this.reset()
  }

  /** How many sessions are stored. */
  get storedSessions(): number {
    return this.#stored.size
  }

  /** Writes that store the changes, how many sessions are stored with them, and how to take notice that they were stored or not. */
  capture(): CapturedFrontier {
    const changed = [...this.#changed].map((session) => [session, this.seqs.get(session)!] as const)
    this.#changed = new Set()
    const begun = changed.filter(([session]) => !this.#stored.has(session))
    return {
      sessions: this.#stored.size + begun.length,
      writes: [
        ...this.#first,
        ...changed.map(([session, seq]) => ({
          key: foldedKey(session),
          value: encodeCanonical(seq),
        })),
      ],
      stored: () => {
        this.#first = []
        for (const [session, seq] of changed) this.#stored.set(session, seq)
      },
      failed: () => {
        for (const [session] of changed) this.#changed.add(session)
      },
    }
  }
}
