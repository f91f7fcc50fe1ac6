import { PeerplaneError, verifyBatch } from '@peerplane/core'
import type { Crypto, DeviceId, Dot, ForkProof, Tip } from '@peerplane/core'

import type { EncodedBatch } from './decode-run.ts'
import type { Delivery } from './delivery.ts'
import type { StoredForm } from './persist.ts'
import type { Planned } from './planned.ts'

/** Whose batches they are, and the proof after them. */
export interface KeepOptions {
  readonly device: DeviceId
  readonly parents: readonly Tip[]
  readonly told: ForkProof | undefined
}

/** What is to be stored of a run. */
export interface Kept {
  readonly forms: readonly StoredForm[]
  /** What the first batch waits for that was left out because there is no room. */
  readonly awaits: readonly Dot[]
  readonly full: boolean
  /** Whether a part of it has to wait. */
  readonly waits: boolean
}

/**
 * What is to be stored of the new batches of a run: all of them, or, where there is no room to wait, those that can be delivered.
 *
 * Delivery may come to a halt before a batch that depends on something. What is delivered must be able to leave this device, so a batch
 * before such a place must have its own signature. A device that serves a run has that signature, unless somebody removed it.
 * Throws `broken-chain` without it.
 */
export async function whatToKeep(
  fresh: readonly EncodedBatch[],
  { device, parents, told }: KeepOptions,
  { delivery, crypto }: { readonly delivery: Delivery; readonly crypto: Crypto },
  planned?: Planned,
): Promise<Kept> {
  const [first] = fresh
  if (!first) return { forms: [], awaits: [], full: false, waits: false }
  const halts: number[] = []
  for (const [index, { batch }] of fresh.entries()) {
    if (await delivery.mayHaltBefore(batch, parents, planned)) halts.push(index)
  }
  const ends = new Set(halts.filter((index) => index > 0).map((index) => index - 1))
  const signed = await Promise.all(
    [...ends].map((index) => verifyBatch(fresh[index]!.batch, device, crypto)),
  )
  if (signed.includes(false)) {
    throw new PeerplaneError('broken-chain', 'a batch before one that has to wait is not signed')
  }
  if (!told) ends.add(fresh.length - 1)
  const forms = fresh.map(({ batch, encoded }, index): StoredForm => {
    const unverified = batch.signature ? 'unchecked' : 'none'
    return { batch, encoded, signature: ends.has(index) ? 'verified' : unverified }
  })
  const ready = delivery.holds(first.batch.session) ? 0 : (halts[0] ?? fresh.length)
  const waiting = fresh.slice(ready)
  const commits = waiting.reduce((sum, { batch }) => sum + batch.commits.length, 0)
  const bytes = waiting.reduce((sum, { encoded }) => sum + encoded.length, 0)
  if (waiting.length === 0 || (await delivery.makeRoom(device, { commits, bytes }))) {
    return { forms, awaits: [], full: false, waits: waiting.length > 0 }
  }
  const { session } = first.batch
  const awaits = delivery.holds(session)
    ? delivery.lacking(session)
    : delivery.missingFor(waiting[0]!.batch, parents)
  return { forms: forms.slice(0, ready), awaits, full: true, waits: true }
}
