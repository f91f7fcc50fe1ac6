import type { DeviceId, Lineage, SessionId, Tip } from '@peerplane/core'

import type { PlaceOfSession } from './history.ts'

/** The part of a session that states its place among the sessions of its device. */
interface Opened {
  readonly device: DeviceId
  readonly parents: readonly Tip[]
  readonly start?: number | undefined
}

/** Computes the lineages of delivered sessions. The parents of a delivered session are delivered, so its lineage never changes. */
export class Lineages {
  readonly #openedOf: (session: SessionId) => Opened | undefined
  readonly #depths = new Map<SessionId, number>()
  /** Most commits that are folded together are of one session. */
  #latest: { readonly session: SessionId; readonly lineage: Lineage } | undefined

  constructor(openedOf: (session: SessionId) => Opened | undefined) {
    this.#openedOf = openedOf
  }

  /** The lineage of a delivered session. */
  of(session: SessionId): Lineage {
    if (this.#latest?.session !== session) {
      this.#latest = { session, lineage: this.opening(this.#openedOf(session)!) }
    }
    return this.#latest.lineage
  }

  /** The depth of a delivered session, and its parents. */
  placeOf(session: SessionId): PlaceOfSession {
    const parents = this.#parentsOf(session).map((tip) => tip.session)
    return { depth: this.#depthOf(session), parents }
  }

  /** The lineage of a session with this opening. */
  opening(opened: Opened): Lineage {
    const parents = this.#ofDevice(opened)
    // A body asks for the same sessions again and again.
    const covered = new Map<SessionId, number>()
    return {
      hasParents: parents.length > 0,
      start: opened.start,
      covers: (session, seq) => {
        let last = covered.get(session)
        if (last === undefined) {
          last = this.#covered(opened.device, parents, session)
          covered.set(session, last)
        }
        return seq <= last
      },
    }
  }

  /** Not recursive: a device may chain thousands of sessions. */
  #depthOf(session: SessionId): number {
    if (this.#depths.has(session)) return this.#depths.get(session)!
    const open: SessionId[] = [session]
    for (let each = open.at(-1); each !== undefined; each = open.at(-1)) {
      const parents = this.#parentsOf(each)
      const unknown = parents.filter((parent) => !this.#depths.has(parent.session))
      if (unknown.length > 0) {
        for (const parent of unknown) open.push(parent.session)
        continue
      }
      this.#depths.set(each, this.#below(parents))
      open.pop()
    }
    return this.#depths.get(session)!
  }

  /** The depth of a session with these parents. */
  #below(parents: readonly Tip[]): number {
    return parents.reduce((most, { session }) => Math.max(most, this.#depthOf(session)), 0) + 1
  }

  /** The last commit of `session` that is one of `tips` or comes before one; 0 if none does. Looks only at sessions that are at least as deep. */
  #covered(device: DeviceId, tips: readonly Tip[], session: SessionId): number {
    if (tips.length === 0 || this.#openedOf(session)?.device !== device) return 0
    let last = 0
    const depth = this.#depthOf(session)
    const seen = new Set<SessionId>()
    const open = [...tips]
    for (let tip = open.pop(); tip; tip = open.pop()) {
      if (tip.session === session) last = Math.max(last, tip.seq)
      if (seen.has(tip.session) || this.#depthOf(tip.session) <= depth) continue
      seen.add(tip.session)
      for (const parent of this.#parentsOf(tip.session)) open.push(parent)
    }
    return last
  }

  #parentsOf(session: SessionId): readonly Tip[] {
    const opened = this.#openedOf(session)
    return opened ? this.#ofDevice(opened) : []
  }

  #ofDevice({ device, parents }: Opened): readonly Tip[] {
    return parents.filter(({ session }) => this.#openedOf(session)?.device === device)
  }
}
