import { limits, PeerplaneError, verifyBatch } from '@peerplane/core'
import type { Batch, Commit, Crypto, DeviceId, Run, Store } from '@peerplane/core'

import type { Appender } from './append.ts'
import { decodeRun, type DecodedRun } from './decode-run.ts'
import type { Delivery } from './delivery.ts'
import type { Forks } from './forks.ts'
import type { Membership } from './membership.ts'
import { persistBatches, storedForms } from './persist.ts'
import type { HeldSession, Sessions } from './sessions.ts'

/** What taking in works with. */
export interface IntakeOptions {
  readonly store: Store
  readonly crypto: Crypto
  readonly sessions: Sessions
  readonly membership: Membership
  readonly forks: Forks
  readonly delivery: Delivery
  readonly appender: Appender
}

/** What a run has brought. */
export interface Taken {
  readonly stored: readonly Commit[]
  /** Delivered because of it, in causal order. */
  readonly delivered: readonly Commit[]
}

/**
 * Takes in one run; the next one may come when it is done. What costs least is checked first, and nothing is stored before everything holds:
 *
 *     sizes ─ gap ─ opening: form, space, admissions, signature ─ batches: form, chain ─ last signature ─ fork ─ room to wait
 */
export async function takeRun(run: Run, options: IntakeOptions): Promise<Taken> {
  const { sessions, forks, membership, appender, delivery } = options
  checkSizes(run)
  forks.assertSound(run.session)
  const held = sessions.get(run.session)
  if (run.from > (held?.stored.seq ?? 0) + 1) {
    throw new PeerplaneError('broken-chain', `commit ${run.from} does not follow what is held`)
  }
  const opening = held ? undefined : await membership.verify(run.session, run.opening)
  const device = held?.device ?? opening!.opening.device
  const decoded = await verifiedRun(run, held, device, options)
  if (decoded.last && appender.writes(run.session)) {
    // A copy of this device writes the session, too. This one goes on in another session; then what both wrote is compared.
    await appender.retire()
    return takeRun(run, options)
  }
  if (decoded.fork) throw await forks.freeze(run.session, device, decoded.fork)
  if (decoded.fresh.length === 0) return { stored: [], delivered: [] }

  assertRoom(decoded.fresh, run, delivery)
  const forms = storedForms(decoded.fresh)
  await persistBatches(run.session, forms, opening, options)
  for (const { batch, encoded } of forms) delivery.add(batch, encoded.length)
  return {
    stored: decoded.fresh.flatMap((batch) => batch.commits),
    delivered: await delivery.deliver(),
  }
}

function checkSizes(run: Run): void {
  const size = sizeOf(run)
  if (run.batches.length > 1 && size > limits.runBytes) {
    throw new PeerplaneError('too-large', `a run of ${size} bytes`)
  }
  if (run.batches.length === 0 || !Number.isSafeInteger(run.from) || run.from < 1) {
    throw new PeerplaneError('malformed', 'a run has no batch or no place')
  }
}

const sizeOf = (run: Run): number => run.batches.reduce((sum, batch) => sum + batch.length, 0)

/** The decoded run, the signature of its last batch verified unless everything in it is held. */
async function verifiedRun(
  run: Run,
  held: HeldSession | undefined,
  device: DeviceId,
  { store, crypto }: IntakeOptions,
): Promise<DecodedRun> {
  const decoded = await decodeRun(run, held, store)
  if (decoded.last && !(await verifyBatch(decoded.last, device, crypto))) {
    // The signature covers all batches before. If the device signed two versions of those, the sender may be honest and hold the other one.
    if (run.from > 1) {
      throw new PeerplaneError('broken-chain', 'a run does not continue the batches that are held')
    }
    throw new PeerplaneError('bad-signature', 'a run does not end with a batch its device signed')
  }
  return decoded
}

/** Refuses what would have to wait when too much waits already. */
function assertRoom(fresh: readonly Batch[], run: Run, delivery: Delivery): void {
  const { commits, bytes } = delivery.waiting
  const more = fresh.reduce((sum, batch) => sum + batch.commits.length, 0)
  const full = commits + more > limits.waitingCommits || bytes + sizeOf(run) > limits.waitingBytes
  if (full && !delivery.wouldDeliver(fresh)) {
    throw new PeerplaneError('overloaded', `${commits} commits wait for others already`)
  }
}
