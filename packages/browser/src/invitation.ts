import { describe, PeerplaneError } from '@peerplane/core'

/**
 * The invitation in the address of a page; `undefined` if there is none. `open` takes the whole address too. Once it has succeeded, the
 * application should take the fragment out of the address bar, because anyone who sees it can join:
 *
 *     history.replaceState(null, '', location.pathname + location.search)
 */
export function invitationIn(address: string): string | undefined {
  if (typeof address !== 'string') {
    throw new PeerplaneError('invalid-input', `an address is a string, not ${describe(address)}`)
  }
  const [, invitation] = /#join=(.*)$/s.exec(address) ?? []
  return invitation
}

/** What an application passes as `join`: an address with or without an invitation, or the text of one. */
export const invitationOf = (join: string | undefined): string | undefined =>
  join !== undefined && /^[a-z][a-z0-9+.-]*:/i.test(join) ? invitationIn(join) : join
