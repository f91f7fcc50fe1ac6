import { compactFrontier, markOf } from '@peerplane/core'
import type {
  Batch,
  CommitId,
  DeviceId,
  Dot,
  Frontier,
  SessionId,
  Tip,
  Write,
} from '@peerplane/core'

import { reachKey } from '../storage/keys.ts'
import { encodeReach, type Reach, type StoredTip } from '../storage/records.ts'

/** A session of which at least one batch is stored. */
export interface HeldSession {
  readonly id: SessionId
  readonly device: DeviceId
  readonly parents: readonly Tip[]
  stored: StoredTip
  reach: Reach
}

const NOTHING: Reach = {
  seq: 0,
  commit: '' as CommitId,
  covered: 0,
  time: { ms: 0, counter: 0 },
}

/** All held sessions: the durable state of the log in memory, without a commit. */
export class Sessions {
  readonly #held = new Map<SessionId, HeldSession>()
  readonly #dirty = new Set<HeldSession>()
  #stored: Frontier | undefined
  #delivered: Frontier | undefined

  get(session: SessionId): HeldSession | undefined {
    return this.#held.get(session)
  }

  values(): Iterable<HeldSession> {
    return this.#held.values()
  }

  /** Begins a session with its first stored batch. */
  add(fields: Omit<HeldSession, 'reach'>, reach: Reach = NOTHING): HeldSession {
    const held: HeldSession = { ...fields, reach }
    this.#held.set(held.id, held)
    this.#stored = undefined
    return held
  }

  extend(held: HeldSession, stored: StoredTip): void {
    held.stored = stored
    this.#stored = undefined
  }

  /** Takes note that `batch` is delivered: its session reaches to its end, and covers what its commits depend on. */
  deliver(batch: Batch): void {
    const held = this.#held.get(batch.session)!
    const { id, header } = batch.commits.at(-1)!
    held.reach = { ...held.reach, seq: header.seq, commit: id, time: header.time }
    this.#dirty.add(held)
    this.#delivered = undefined
    for (const commit of batch.commits) {
      for (const dep of commit.header.deps) this.#cover(dep)
    }
  }

  /** How far a session is delivered; 0 when it is unknown. */
  reached(session: SessionId): number {
    return this.#held.get(session)?.reach.seq ?? 0
  }

  /** Writes that bring the stored reaches up to date; pass them to {@link unwritten} if they could not be written. */
  takeDirty(): { readonly writes: readonly Write[]; readonly sessions: readonly HeldSession[] } {
    const sessions = [...this.#dirty]
    this.#dirty.clear()
    return { writes: sessions.map(reachWrite), sessions }
  }

  unwritten(sessions: readonly HeldSession[]): void {
    for (const held of sessions) this.#dirty.add(held)
  }

  /** The reach of a session was written with something else. */
  written(held: HeldSession): void {
    this.#dirty.delete(held)
  }

  /** Durable, delivered or not. */
  stored(): Frontier {
    this.#stored ??= frontierOf(this.#held.values(), (held) => held.stored)
    return this.#stored
  }

  /** Delivered and durable. */
  delivered(): Frontier {
    this.#delivered ??= frontierOf(this.#held.values(), (held) => held.reach)
    return this.#delivered
  }

  /** The stored tips of the sessions of `device` that no later session of it continues. */
  tipsOf(device: DeviceId): Tip[] {
    const own = [...this.#held.values()].filter((held) => held.device === device)
    return compactFrontier(
      frontierOf(own, (held) => held.stored),
      (session) => this.#held.get(session)?.parents,
    )
  }

  #cover({ session, seq }: Dot): void {
    const held = this.#held.get(session)
    if (!held || held.reach.covered >= seq) return
    held.reach = { ...held.reach, covered: seq }
    this.#dirty.add(held)
  }
}

/** The write of a session's reach. */
export const reachWrite = (held: HeldSession): Write => ({
  key: reachKey(held.id),
  value: encodeReach(held.reach),
})

function frontierOf(
  sessions: Iterable<HeldSession>,
  place: (held: HeldSession) => { readonly seq: number; readonly commit: CommitId },
): Frontier {
  const frontier = new Map<SessionId, Tip>()
  for (const held of sessions) {
    const { seq, commit } = place(held)
    if (seq > 0) frontier.set(held.id, { session: held.id, seq, mark: markOf(commit) })
  }
  return frontier
}
