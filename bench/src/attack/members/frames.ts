import { encodeCanonical, fromHex, tipToValue, type SessionId, type Tip } from '@peerplane/core'

/*
 * Messages as the protocol writes them down. They are written here by hand, because the product would not make the hostile ones.
 */

export const frontierFrame = (tips: readonly Tip[], reply = false): Uint8Array =>
  encodeCanonical([1, tips.map(tipToValue), reply])

export const haveFrame = (tips: readonly Tip[]): Uint8Array =>
  encodeCanonical([2, tips.map(tipToValue)])

/** A run as the log of a hostile member writes it. */
export interface HostileRun {
  readonly session: SessionId
  readonly from: number
  readonly opening?: {
    readonly bytes: Uint8Array
    readonly signature: Uint8Array
    readonly chain: readonly Uint8Array[]
  }
  readonly batches: readonly Uint8Array[]
}

export const runFrame = ({ session, from, opening, batches }: HostileRun): Uint8Array =>
  encodeCanonical([
    4,
    fromHex(session),
    from,
    opening ? [opening.bytes, opening.signature, opening.chain] : null,
    batches,
  ])
