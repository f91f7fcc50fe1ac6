import { encodeCanonical, fromHex, tipToValue, type Run, type Tip } from '@peerplane/core'

/*
 * Messages as the protocol writes them down. They are written here by hand, because the product would not make the hostile ones.
 */

/** A summary of everything that claims so many commits, with a digest that is made up. */
export const summaryFrame = (sessions: number, commits: number, digest: Uint8Array): Uint8Array =>
  encodeCanonical([1, [['', sessions, commits, digest]], true])

export const haveFrame = (tips: readonly Tip[], asks: readonly string[] = []): Uint8Array =>
  encodeCanonical([2, tips.map(tipToValue), asks])

/** Asks for all tips below a path, from a place on. */
export const listFrame = (path: string, after: number): Uint8Array =>
  encodeCanonical([7, path, after])

export const runFrame = ({ session, from, opening, batches }: Run): Uint8Array =>
  encodeCanonical([
    4,
    [[fromHex(session), from, opening ? [opening.bytes, opening.chain] : null, batches]],
  ])
