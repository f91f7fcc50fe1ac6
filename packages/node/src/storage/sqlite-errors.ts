import { PeerplaneError } from '@peerplane/core'
import type { ErrorCode } from '@peerplane/core'

/** The failure of SQLite as one of ours; `what` begins the message. */
export function storeError(error: unknown, what: string): PeerplaneError {
  if (error instanceof PeerplaneError) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new PeerplaneError(codeOf(resultCode(error)), `${what}: ${reason}`, { cause: error })
}

/** Whether the operating system refused to read, write or flush. */
export const isIoError = (error: unknown): boolean => resultCode(error) === 10

/** Primary result code of SQLite, https://sqlite.org/rescode.html; 0 for an error of something else. */
function resultCode(error: unknown): number {
  const { errcode } = error as { readonly errcode?: unknown }
  return typeof errcode === 'number' ? errcode & 0xff : 0
}

function codeOf(result: number): ErrorCode {
  switch (result) {
    case 5: // SQLITE_BUSY
    case 6: // SQLITE_LOCKED
      return 'store-locked'
    case 11: // SQLITE_CORRUPT
    case 26: // SQLITE_NOTADB
      return 'store-corrupt'
    case 13: // SQLITE_FULL
      return 'store-full'
    default:
      return 'store-failed'
  }
}
