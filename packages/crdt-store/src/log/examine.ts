import {
  decodeForkProof,
  firstPrevious,
  limits,
  PeerplaneError,
  verifyBatch,
  verifyForkProof,
} from '@peerplane/core'
import type { Crypto, DeviceId, ForkProof, Run, Store, Tip } from '@peerplane/core'

import type { StoredTip } from '../storage/records.ts'
import { decodeRun, type DecodedRun, type Unproved } from './decode-run.ts'
import type { OpeningVerifier, VerifiedOpening } from './opening-verifier.ts'
import type { HeldSession, Sessions } from './sessions.ts'

/** What examining works with. */
interface ExamineOptions {
  readonly store: Store
  readonly crypto: Crypto
  readonly sessions: Sessions
  readonly membership: OpeningVerifier
}

/** A run, compared with what is held. */
export interface Examined {
  readonly held: HeldSession | undefined
  /** Up to where its session was stored then. */
  readonly stored: StoredTip | undefined
  readonly opening: VerifiedOpening | undefined
  readonly device: DeviceId
  readonly parents: readonly Tip[]
  readonly decoded: DecodedRun
  readonly told: ForkProof | undefined
  /** Another opening of a session that is held; all batches of the run continue that one. */
  readonly rival: VerifiedOpening | undefined
}

/**
 * Checks all of some runs but whether there is room for them; a run that brings nothing is `undefined`.
 *
 * Signatures are verified beside each other, while the next run is decoded. When more than `runBytes` have been hashed and one run is bad, the
 * rest is not looked at: so one message makes this device hash little more in vain than one run does.
 */
export async function examineAll(
  runs: readonly Run[],
  options: ExamineOptions,
): Promise<PromiseSettledResult<Examined | undefined>[]> {
  const results: Promise<PromiseSettledResult<Examined | undefined>>[] = []
  const unproved: Unproved = { weight: 0 }
  for (const run of runs) {
    if (unproved.weight > limits.runBytes) {
      const done = await Promise.all(results)
      if (done.some(({ status }) => status === 'rejected')) {
        return [...done, ...runs.slice(done.length).map(later)]
      }
      unproved.weight = 0
    }
    const [read] = await Promise.allSettled([decode(run, options, unproved)])
    if (read.status === 'rejected') results.push(Promise.resolve(read))
    else results.push(settled(verified(run, read.value, options.crypto)))
  }
  return Promise.all(results)
}

/** The outcome of a run that is not looked at; it is asked for again. */
const later = (): PromiseRejectedResult => ({
  status: 'rejected',
  reason: new PeerplaneError('overloaded', 'a run in the same message is invalid'),
})

const settled = async <T>(work: Promise<T>): Promise<PromiseSettledResult<T>> =>
  (await Promise.allSettled([work]))[0]

/** Checks all of a run but its signatures; `undefined` if it brings nothing. */
async function decode(
  run: Run,
  { store, sessions, membership }: ExamineOptions,
  unproved: Unproved,
): Promise<Examined | undefined> {
  checkSizes(run)
  const held = sessions.get(run.session)
  const stored = held?.stored
  if (run.from > (stored?.seq ?? 0) + 1) {
    if (held?.fork) return undefined
    throw new PeerplaneError('broken-chain', `commit ${run.from} does not follow what is held`)
  }
  const rival = await rivalOf(run, held, membership)
  const continued = rival ? undefined : held
  const opening = rival ?? (held ? undefined : await membership.verify(run.session, run.opening))
  const { device, parents } = continued ?? opening!.opening
  const { first } = continued ?? opening!
  const decoded = await decodeRun(run, continued, first, store, unproved)
  const told = proofAt(run, decoded, continued)
  if (told?.openings) membership.assertOurs(told.openings[0])
  if (!decoded.last && !told) return undefined
  return {
    held,
    stored,
    opening: rival ? undefined : opening,
    device,
    parents,
    decoded,
    told,
    rival,
  }
}

/**
 * The opening that a run brings of a session that is held with another one: its author has made two with the same id. Throws `broken-chain` if
 * there is no batch yet that shows who made the one that is held.
 */
async function rivalOf(
  { session, from, opening, fork }: Run,
  held: HeldSession | undefined,
  membership: OpeningVerifier,
): Promise<VerifiedOpening | undefined> {
  if (!held || held.fork?.seq === 1 || from > 1 || !opening) return undefined
  if (firstPrevious(opening.bytes) === held.first) return undefined
  if (fork && decodeForkProof(fork, session).openings) return undefined
  if (held.stored.seq > 0) return membership.verify(session, opening)
  throw new PeerplaneError('broken-chain', 'a run has another opening of its session')
}

function checkSizes({ batches, from, fork }: Run): void {
  const size = batches.reduce((sum, batch) => sum + batch.length, 0)
  if ((batches.length > 1 && size > limits.runBytes) || batches.length > limits.runBatches) {
    throw new PeerplaneError('too-large', `a run of ${batches.length} batches, ${size} bytes`)
  }
  if ((batches.length === 0 && !fork) || !Number.isSafeInteger(from) || from < 1) {
    throw new PeerplaneError('malformed', 'a run has no batch or no place')
  }
}

/** The proof at the end of a run, if it tells of a fork that is not known, or of one before it. Its signatures are not verified. */
function proofAt(
  { session, from, fork, batches }: Run,
  { contradiction, end }: DecodedRun,
  held: HeldSession | undefined,
): ForkProof | undefined {
  if (!fork || !end) return undefined
  const proof = decodeForkProof(fork, session)
  if (batches.length + proof.branches[0].links.length > limits.runBatches) {
    throw new PeerplaneError('too-large', 'a run and the proof at its end have too many batches')
  }
  const follows = proof.openings !== undefined || proof.previous === end.previous
  if (proof.seq !== end.seq || !follows) {
    throw new PeerplaneError(
      from > 1 ? 'broken-chain' : 'malformed',
      'the proof of a fork does not follow its run',
    )
  }
  const isKnown = !contradiction && held?.fork && held.fork.seq <= proof.seq
  return isKnown ? undefined : proof
}

/** The same run once what speaks for its batches is verified. */
async function verified(
  run: Run,
  examined: Examined | undefined,
  crypto: Crypto,
): Promise<Examined | undefined> {
  if (!examined) return undefined
  const { told, device, decoded } = examined
  if (told) {
    if (await verifyForkProof(told, device, crypto)) return examined
    throw new PeerplaneError('bad-signature', 'a run ends with a proof that proves nothing')
  }
  if (!decoded.last || (await verifyBatch(decoded.last, device, crypto))) return examined
  // The signature covers all batches before. If the device signed two versions of those, the sender may be honest and hold the other one.
  if (run.from > 1) {
    throw new PeerplaneError('broken-chain', 'a run does not continue the batches that are held')
  }
  throw new PeerplaneError('bad-signature', 'a run does not end with a batch its device signed')
}
