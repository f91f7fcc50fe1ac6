import { encodeBatch, makeBatch, makeCommit, signBatch, makeOpening } from '@peerplane/core'
import type { Batch, BatchId, Commit, Header, Opening, Run } from '@peerplane/core'
import { seededRandom } from '@peerplane/core/testing'

import { deviceOf, section, type Members } from './peer.fixture.test.ts'

/** A run that was written by hand, and its batches. */
export interface Handmade extends Run {
  readonly made: readonly Batch[]
}

/** Commits by what their headers have beyond the usual. */
export type Headers = readonly Partial<Header>[]

/**
 * A session of device `index`, written by hand: its opening and batches as a run. The same `seed` and opening make the same session, and the
 * same headers the same batches.
 */
export async function handmade(
  { space, devices }: Members,
  index: number,
  seed: number,
  batches: readonly Headers[],
  opening: Partial<Opening> = {},
): Promise<Handmade> {
  const { key, chain } = devices[index]!
  const random = seededRandom(seed)
  const begun = makeOpening({
    space: space.record.id,
    device: deviceOf(key),
    parents: [],
    admission: chain.at(-1)!.id,
    nonce: random.bytes(16),
    ...opening,
  })
  let previous: BatchId = begun.first
  let seq = 0
  const made: Batch[] = []
  for (const headers of batches) {
    const salt = random.bytes(16)
    const commits = headers.map((header) => {
      const fields = {
        deps: [],
        digest: new Uint8Array(0),
        time: { ms: 1, counter: 0 },
      }
      return makeCommit(begun.session, { ...fields, seq: ++seq, ...header }, [section('x')], salt)
    })
    const batch = await signBatch(makeBatch(previous, commits as [Commit, ...Commit[]], salt), key)
    previous = batch.id
    made.push(batch)
  }
  return {
    session: begun.session,
    from: 1,
    opening: {
      bytes: begun.bytes,
      chain: chain.map(({ bytes }) => bytes),
    },
    batches: made.map(encodeBatch),
    made,
  }
}

/** The part of a run that begins with its batch `first`, the signatures inside taken out if `strip`. */
export function partOf(run: Handmade, first: number, end = run.made.length, strip = false): Run {
  const made = run.made.slice(first, end).map((batch, index) => {
    const isInner = strip && index < end - first - 1
    return isInner ? { ...batch, signature: undefined } : batch
  })
  const from = made[0]!.commits[0]!.header.seq
  return {
    session: run.session,
    from,
    opening: from === 1 ? run.opening : undefined,
    batches: made.map(encodeBatch),
  }
}
