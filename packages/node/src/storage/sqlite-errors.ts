import { PeerplaneError } from '@peerplane/core'
import type { ErrorCode } from '@peerplane/core'

/** The failure of SQLite as one of ours; `what` begins the message. */
export function storeError(error: unknown, what: string): PeerplaneError {
  if (error instanceof PeerplaneError) return error
  const reason = error instanceof Error ? error.message : String(error)
  const result = resultCode(error)
  return new PeerplaneError(codeOf(result), `${what}: ${reason}`, {
    cause: error,
    advice: advice[result],
  })
}

/** Where the code says less than is known. */
const advice: Readonly<Record<number, string>> = {
  // SQLITE_PERM, SQLITE_READONLY
  3: 'Let this user read and write the file and its directory.',
  8: 'Let this user read and write the file and its directory.',
  // SQLITE_CANTOPEN
  14: 'Choose another data directory, or let this user read and write this one.',
}

/** Whether the operating system refused to read, write or flush. */
export const isIoError = (error: unknown): boolean => resultCode(error) === 10

/** Primary result code of SQLite, https://sqlite.org/rescode.html; 0 for an error of something else. */
function resultCode(error: unknown): number {
  const { errcode, code } = error as { readonly errcode?: unknown; readonly code?: unknown }
  // A number where there are bytes only.
  if (code === 'ERR_OUT_OF_RANGE') return 11
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
