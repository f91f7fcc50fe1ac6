import {
  describe,
  fromBase64Url,
  PeerplaneError,
  SESSION_BYTES,
  toBase64Url,
  fromHex,
  toHex,
  type SessionId,
} from '@peerplane/core'

import { NamedCommit } from '../commits.ts'
import type { Character } from './author.ts'
import type { Characters } from './characters.ts'

/**
 * The name of a position in a text: `>` and the name of the next character, or `<` and that of the previous one. Where there is none, it is the end or
 * the beginning for good.
 */
export function positionAt(
  characters: Characters,
  index: number,
  neighbour: 'next' | 'previous',
): string {
  if (!Number.isSafeInteger(index) || index < 0 || index > characters.length) {
    const reason = `a text of ${characters.length} characters has no index ${describe(index)}`
    throw new PeerplaneError('invalid-input', reason)
  }
  if (neighbour !== 'next' && neighbour !== 'previous') {
    const reason = `a position is next to "next" or "previous", not ${describe(neighbour)}`
    throw new PeerplaneError('invalid-input', reason)
  }
  if (neighbour === 'next') {
    return index === characters.length ? '>e' : `>${nameOf(characters.at(index))}`
  }
  return index === 0 ? '<s' : `<${nameOf(characters.at(index - 1))}`
}

/** Where a position is now; after its neighbour was deleted, where that stood. Throws `invalid-input` for one that is not of this text. */
export function indexOfPosition(characters: Characters, position: unknown): number {
  if (position === '<s') return 0
  if (position === '>e') return characters.length
  const [, side, session, seq, offset] = (typeof position === 'string' && FORM.exec(position)) || []
  const commit = session && new NamedCommit(sessionOf(session), Number(seq), '')
  const character = commit ? characters.find({ commit, offset: Number(offset) }) : undefined
  if (!character) {
    throw new PeerplaneError('invalid-input', `the text has no position ${describe(position)}`)
  }
  const { index, isShown } = characters.indexOf(character)
  return side === '<' && isShown ? index + 1 : index
}

/** A session as {@link toBase64Url} writes it, a commit of it, and a character of that. */
const FORM = /^([<>])([\w-]{22})([1-9][0-9]{0,15})\.(0|[1-9][0-9]{0,15})$/

function nameOf({ author, number }: Character): string {
  const { commit, offset } = author.idOf(number)
  return `${toBase64Url(fromHex(author.session))}${commit.seq}.${offset}`
}

function sessionOf(text: string): SessionId {
  const bytes = fromBase64Url(text)
  return toHex(bytes ?? new Uint8Array(SESSION_BYTES)) as SessionId
}
