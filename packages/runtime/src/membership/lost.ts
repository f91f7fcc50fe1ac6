import {
  arrayField,
  bytesField,
  codeOf,
  decodeCanonical,
  encodeCanonical,
  fromHex,
  limits,
  listField,
  PeerplaneError,
  SESSION_BYTES,
  toHex,
  wholeField,
  type Frontier,
  type SessionId,
  type Write,
} from '@peerplane/core'

import { lostKey } from '../keys.ts'
import type { Ports } from '../ports.ts'

/** How many commits of each session are or were held. */
export type Seqs = ReadonlyMap<SessionId, number>

/** The seqs of a frontier. */
export const seqsOf = (frontier: Frontier): Map<SessionId, number> =>
  new Map([...frontier.values()].map(({ session, seq }) => [session, seq]))

/** The write that remembers what was held before a loss. */
export const lostWrite = (held: Seqs): Write => ({
  key: lostKey,
  value: encodeCanonical([...held].map(([session, seq]) => [fromHex(session), seq])),
})

/** Which commits of this device's log are gone since a loss; they come back from devices that have them. */
export interface Losses {
  /** How many of each session are missing still. What has come back is forgotten. */
  missing(held: Frontier): Seqs
}

const NONE: Seqs = new Map()

/** What `store` says was lost before, and what was `found` to be lost now. */
export async function loadLosses(
  { store, trace }: Pick<Ports, 'store' | 'trace'>,
  found: Seqs,
): Promise<Losses> {
  const stored = await store.get(lostKey)
  const lost = new Map(stored && decodeLost(stored))
  const put = (write: Write, what: string): void => {
    // At worst it is looked at again at the next opening.
    store.write([write], 'local').catch((error: unknown) => {
      trace?.('upkeep.failed', { what, code: codeOf(error) })
    })
  }
  const fresh = [...found].filter(([session, seq]) => seq > (lost.get(session) ?? 0))
  for (const [session, seq] of fresh) lost.set(session, seq)
  if (fresh.length > 0) put(lostWrite(lost), 'remembering what was lost')
  const forget = (): void =>
    put({ key: lostKey, value: undefined }, 'forgetting what has come back')
  return {
    missing: (held) => {
      if (lost.size === 0) return NONE
      const missing = new Map<SessionId, number>()
      for (const [session, seq] of lost) {
        const lacking = seq - (held.get(session)?.seq ?? 0)
        if (lacking > 0) missing.set(session, lacking)
        else lost.delete(session)
      }
      if (lost.size === 0) forget()
      return missing
    },
  }
}

function decodeLost(stored: Uint8Array): [SessionId, number][] {
  try {
    return listField(decodeCanonical(stored), 'lost', limits.lostSessions, (value, name) => {
      const [session, seq] = arrayField(value, name, 2)
      return [toHex(bytesField(session, name, SESSION_BYTES)) as SessionId, wholeField(seq, name)]
    })
  } catch (cause) {
    throw new PeerplaneError('store-corrupt', 'the record of lost commits cannot be read', {
      cause,
    })
  }
}
