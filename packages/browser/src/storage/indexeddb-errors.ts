import { PeerplaneError } from '@peerplane/core'
import type { ErrorCode } from '@peerplane/core'

/** The failure of IndexedDB as one of ours; `what` begins the message. */
export function indexedDbError(error: unknown, what: string): PeerplaneError {
  if (error instanceof PeerplaneError) return error
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  const code = codes.get(name) ?? 'store-failed'
  const reason = `${what}: ${name}: ${message}`
  return new PeerplaneError(code, reason, { cause: error, advice: advices[code] })
}

/** Where the advice of the code does not fit a browser. */
const advices: { readonly [code in ErrorCode]?: string } = {
  'store-corrupt':
    'Erase the space and open it with a new invitation: what other devices hold of it comes back.',
  unsupported: `Allow this site to store data in the browser's settings. A page in a frame needs the origin and the rights of its own.`,
}

/** By name of the DOMException; all others are `store-failed`. */
const codes = new Map<string, ErrorCode>([
  // Storage is forbidden to the page: by the person, by a policy, or because its frame has no rights.
  ['SecurityError', 'unsupported'],
  ['QuotaExceededError', 'store-full'],
  ['VersionError', 'store-version'],
  // Files behind the database are missing or damaged.
  ['NotReadableError', 'store-corrupt'],
  // An object store is missing.
  ['NotFoundError', 'store-corrupt'],
])
