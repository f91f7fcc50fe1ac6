import { limits, PeerplaneError } from '@peerplane/core'
import {
  count,
  readReply,
  readRequest,
  text,
  type Reply,
  type Request,
} from '@peerplane/runtime/contract'

import { readVersion, type TabVersion } from './version.ts'

/*
 * What tabs say to each other. All of them run code of one origin, but perhaps of different releases; whatever does not fit is dropped.
 *
 *   lobby, one per space     tab -> all      hello    a tab looks for the leader
 *                            leader -> all   opening  it lives, and cannot serve yet, or no longer
 *                                            leader   a new leader is ready
 *                            all -> all      erased   the space is erased: all planes of it end
 *   channel, one per tab     leader -> tab   welcome, tabs, alive, and replies
 *                            tab -> leader   ping, and requests
 *
 * Requests and replies are those of the contract of a backend. Every message over such a channel has the term of the
 * leader that sends it or is meant to get it. A later term has a larger number, so no message of an earlier leader is mistaken for one of the
 * current leader, and a tab never goes back to an earlier one.
 */

/** A message to everybody. */
export type LobbyMessage =
  | { readonly kind: 'hello'; readonly tab: string }
  | { readonly kind: 'opening' }
  | { readonly kind: 'leader'; readonly term: number }
  | { readonly kind: 'erased' }

/** A message from a following tab. */
export type FromTab =
  | { readonly kind: 'request'; readonly term: number; readonly request: Request }
  | { readonly kind: 'ping'; readonly term: number }

/** A message from the leader. */
export type FromLeader =
  | { readonly kind: 'reply'; readonly term: number; readonly reply: Reply }
  | (WithCount<'welcome'> & { readonly version: TabVersion })
  | WithCount<'tabs'>
  /** The answer to a ping. */
  | { readonly kind: 'alive'; readonly term: number }

/** Says how many tabs follow, the one that gets this included. */
interface WithCount<Kind> {
  readonly kind: Kind
  readonly term: number
  readonly following: number
}

/** All readers below throw `malformed`, `too-large` or `outdated`. */
export function readLobbyMessage(message: unknown): LobbyMessage {
  const { kind, tab, term } = fields(message)
  if (kind === 'hello') return { kind, tab: text(limits.entityNameBytes).read(tab, 'tab') }
  if (kind === 'opening' || kind === 'erased') return { kind }
  if (kind === 'leader') return { kind, term: count.read(term, 'term') }
  throw unknownKind()
}

export function readFromTab(message: unknown): FromTab {
  const { kind, term: numbered, request } = fields(message)
  const term = count.read(numbered, 'term')
  if (kind === 'ping') return { kind, term }
  if (kind === 'request') return { kind, term, request: readRequest(request) }
  throw unknownKind()
}

export function readFromLeader(message: unknown): FromLeader {
  const { kind, term: numbered, following, reply, version } = fields(message)
  const term = count.read(numbered, 'term')
  if (kind === 'alive') return { kind, term }
  if (kind === 'reply') return { kind, term, reply: readReply(reply) }
  if (kind === 'tabs') return { kind, term, following: count.read(following, 'following') }
  if (kind === 'welcome') {
    const known = { kind, term, following: count.read(following, 'following') } as const
    return { ...known, version: readVersion(version) }
  }
  throw unknownKind()
}

const unknownKind = (): PeerplaneError =>
  new PeerplaneError('outdated', 'a message between tabs is of a kind that is not known here')

const fields = (message: unknown): { readonly [name: string]: unknown } => {
  if (typeof message === 'object' && message !== null && !Array.isArray(message)) {
    return message as { readonly [name: string]: unknown }
  }
  throw unknownKind()
}
