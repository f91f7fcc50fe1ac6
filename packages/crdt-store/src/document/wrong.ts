import { PeerplaneError } from '@peerplane/core'

/** Why a change of a document is void. */
export const wrong = (reason: string): PeerplaneError =>
  new PeerplaneError('void', `a change of a document is not valid: ${reason}`)
