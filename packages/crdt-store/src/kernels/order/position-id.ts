import { fromHex, toBase64Url, type SessionId } from '@peerplane/core'

import { compareCommits, type NamedCommit } from '../commits.ts'

/** The name of what one op of a commit has made: the commit, and a number that no other op of the commit has. */
export interface PositionId {
  /** Its prefix is empty if the session that names it has made it: a session has one commit at each place. */
  readonly commit: NamedCommit
  readonly index: number
}

/** Order of ids that decides nothing. */
export const compareIds = (a: PositionId, b: PositionId): number =>
  compareCommits(a.commit, b.commit) || a.index - b.index

/** The text of an id by which others may name it that have come before it: unlike its key, it tells commits at one place apart. */
export const nameOf = ({ commit, index }: PositionId): string => `${index}.${commit.key}`

/** Makes keys: short texts that stand for ids, as long as each session makes one commit at each place. */
export class Keys {
  /** The beginnings of keys. */
  readonly #sessions = new Map<SessionId, string>()

  of({ commit: { session, seq }, index }: PositionId): string {
    let start = this.#sessions.get(session)
    if (start === undefined) this.#sessions.set(session, (start = toBase64Url(fromHex(session))))
    return `${start}${seq}.${index}`
  }
}
