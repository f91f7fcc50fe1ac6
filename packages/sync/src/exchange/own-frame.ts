import { encodeBatch, firstSeq, type Batch, type Run } from '@peerplane/core'

import { encodeMessage } from '../wire/messages.ts'

/** This device's batch that is being pushed, encoded once for all links. */
const frames = new WeakMap<Batch, Uint8Array>()

/** The frame that pushes a batch of this device. */
export function ownFrame(own: Batch): Uint8Array {
  const known = frames.get(own)
  if (known) return known
  const { session } = own
  const run: Run = { session, from: firstSeq(own), opening: undefined, batches: [encodeBatch(own)] }
  const frame = encodeMessage({ kind: 'runs', runs: [run] })
  frames.set(own, frame)
  return frame
}
