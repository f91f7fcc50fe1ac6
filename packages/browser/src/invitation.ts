import { describe, PeerplaneError } from '@peerplane/core'

/**
 * Returns the invitation in the address of a page, or `undefined` if the address has no invitation. The option `join` of `open` also accepts the
 * whole address of a page. After `open` has succeeded, the application should remove the invitation from the address bar, because anyone who sees the
 * invitation can join the space:
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
