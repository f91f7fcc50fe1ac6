import { PeerplaneError } from '@peerplane/core'
import type { ErrorCode } from '@peerplane/core'

/** The failure of IndexedDB as one of ours; `what` begins the message. */
export function indexedDbError(error: unknown, what: string): PeerplaneError {
  if (error instanceof PeerplaneError) return error
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  const code = codes.get(name) ?? 'store-failed'
  const advice = code === 'store-corrupt' ? { advice: ERASE } : {}
  return new PeerplaneError(code, `${what}: ${name}: ${message}`, { cause: error, ...advice })
}

const ERASE =
  'Erase the space and open it with a new invitation: what other devices hold of it comes back.'

/** By name of the DOMException; all others are `store-failed`. */
const codes = new Map<string, ErrorCode>([
  ['QuotaExceededError', 'store-full'],
  ['VersionError', 'store-version'],
  // Files behind the database are missing or damaged.
  ['NotReadableError', 'store-corrupt'],
  // An object store is missing.
  ['NotFoundError', 'store-corrupt'],
])
