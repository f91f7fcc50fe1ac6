import { PeerplaneError, SEED_BYTES, SESSION_BYTES, type Timestamp } from '@peerplane/core'

/** What serving needs of a batch. */
export interface BatchOutline {
  readonly commits: number
  /** Time of the first commit. */
  readonly time: Timestamp
}

const SIGNATURE_BYTES = 64
const WHOLE = 0
const BYTES = 2
const ARRAY = 4

/**
 * The outline of canonical batch bytes, read from their beginning: a log that is served has been checked when it came in, and decoding all of
 * it again would cost more than sending it. Throws `malformed`.
 *
 *     [seed, signature, [ms, counter], [digest, session, seq, session, seq…], [commit…]]
 */
export function outlineOf(batch: Uint8Array): BatchOutline {
  let offset = 0
  const head = (major: number): number => {
    const first = batch[offset++] ?? 0
    const info = first & 31
    const extra = info < 24 ? 0 : 2 ** (info - 24)
    if (first >> 5 !== major || info > 27 || offset + extra > batch.length) throw unreadable()
    let value = extra === 0 ? info : 0
    for (let i = 0; i < extra; i++) value = value * 256 + batch[offset++]!
    return value
  }
  const skip = (...lengths: readonly number[]): void => {
    const length = head(BYTES)
    if (!lengths.includes(length)) throw unreadable()
    offset += length
  }
  if (head(ARRAY) !== 5) throw unreadable()
  skip(SEED_BYTES)
  skip(0, SIGNATURE_BYTES)
  if (head(ARRAY) !== 2) throw unreadable()
  const time = { ms: head(WHOLE), counter: head(WHOLE) }
  const deps = head(ARRAY)
  for (let at = 0; at < deps; at++) {
    if (at > 0 && at % 2 === 0) head(WHOLE)
    else skip(SESSION_BYTES)
  }
  const commits = head(ARRAY)
  if (commits < 1) throw unreadable()
  return { commits, time }
}

const unreadable = (): PeerplaneError =>
  new PeerplaneError('malformed', 'these bytes are not a batch')
