import { PeerplaneError, readInvitation, type SpaceId } from '@peerplane/core'
import type { Ports } from '@peerplane/runtime'

/**
 * The invitation in the address of a page; `undefined` if there is none. `open` takes the whole address too. Once it has succeeded, the
 * application should take the fragment out of the address bar, because whoever sees it can join:
 *
 *     history.replaceState(null, '', location.pathname + location.search)
 */
export function invitationIn(address: string): string | undefined {
  const [, invitation] = /#join=(.*)$/s.exec(address) ?? []
  return invitation
}

/** What an application passes as `join`: an address with or without an invitation, or the text of one. */
export const invitationOf = (join: string | undefined): string | undefined =>
  join !== undefined && /^[a-z][a-z0-9+.-]*:/i.test(join) ? invitationIn(join) : join

/**
 * Checks that an invitation belongs to the space that is open already. It may have expired: members open old links to their own space.
 * Throws `invalid-invitation` or `wrong-space`.
 */
export async function requireSameSpace(
  invitation: string,
  open: SpaceId,
  { crypto }: Pick<Ports, 'crypto'>,
): Promise<void> {
  const { space } = await readInvitation(invitation, { crypto })
  if (space.record.id === open) return
  throw new PeerplaneError(
    'wrong-space',
    'another tab has opened a store that holds another space than the invitation',
  )
}
