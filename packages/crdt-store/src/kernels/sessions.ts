import { fromHex, SESSION_BYTES, toHex, type SessionId, type Value } from '@peerplane/core'

import { Void } from './void.ts'

/** Reads refs: small numbers that stand for sessions in one encoded body or snapshot. */
export interface SessionReader {
  /** The session of a ref. Throws `Void` when there is none. */
  session(ref: Value | undefined): SessionId
  /** How far bodies of `session` have been folded. */
  seen(session: SessionId): number
}

/** Gives refs. */
export interface SessionWriter {
  /** The session that writes; it gets no ref. `undefined` for a snapshot, which no session writes. */
  readonly own: SessionId | undefined
  ref(session: SessionId): number
  seen(session: SessionId): number
}

/** Sessions in the order of their refs. */
export class SessionTable implements SessionReader, SessionWriter {
  readonly list: SessionId[]
  readonly own: SessionId | undefined
  readonly seen: (session: SessionId) => number
  #refs: Map<SessionId, number> | undefined

  constructor(list: SessionId[], seen: (session: SessionId) => number, own?: SessionId) {
    this.list = list
    this.seen = seen
    this.own = own
  }

  session(ref: Value | undefined): SessionId {
    const session = typeof ref === 'number' ? this.list[ref] : undefined
    if (session === undefined) throw new Void('an op names a session that the body does not list')
    return session
  }

  ref(session: SessionId): number {
    this.#refs ??= new Map(this.list.map((each, index) => [each, index]))
    let ref = this.#refs.get(session)
    if (ref === undefined) {
      ref = this.list.push(session) - 1
      this.#refs.set(session, ref)
    }
    return ref
  }
}

/** A list of sessions for the canonical encoding. */
export const sessionsToValue = (sessions: readonly SessionId[]): Value => sessions.map(fromHex)

/** Inverse of {@link sessionsToValue}. Throws `Void`. */
export function readSessions(value: Value | undefined): SessionId[] {
  if (!Array.isArray(value)) throw new Void('the list of sessions is not a list')
  return (value as readonly Value[]).map((each) => {
    if (!(each instanceof Uint8Array) || each.length !== SESSION_BYTES)
      throw new Void('not a session id')
    return toHex(each) as SessionId
  })
}
