import {
  decodeForkProof,
  limits,
  PeerplaneError,
  verifyBatch,
  verifyForkProof,
} from '@peerplane/core'
import type { Commit, Crypto, DeviceId, Dot, ForkProof, Run, Store } from '@peerplane/core'

import type { Appender } from './append.ts'
import { decodeRun, type DecodedRun } from './decode-run.ts'
import type { Delivery } from './delivery.ts'
import { forkIn, type Frozen } from './forks.ts'
import type { Heads } from './heads.ts'
import { whatToKeep } from './keep.ts'
import type { OpeningVerifier } from './opening-verifier.ts'
import { persist, type News } from './persist.ts'
import type { HeldSession, Sessions } from './sessions.ts'

/** What taking in works with. */
export interface IntakeOptions {
  readonly store: Store
  readonly crypto: Crypto
  readonly sessions: Sessions
  readonly membership: OpeningVerifier
  readonly heads: Heads
  readonly delivery: Delivery
  readonly appender: Appender
}

/** What a run has brought. */
export interface Taken {
  readonly stored: readonly Commit[]
  /** Delivered because of it, in causal order. */
  readonly delivered: readonly Commit[]
  /** What its first batch that cannot be delivered waits for. */
  readonly awaits: readonly Dot[]
  /** Whether batches were left out because there is no room for what has to wait. */
  readonly full: boolean
  /** A fork that it proved. */
  readonly forked?: Frozen & {
    /** Whether commits from the fork on were delivered before. */
    readonly undone: boolean
  }
}

const NOTHING: Taken = { stored: [], delivered: [], awaits: [], full: false }

/**
 * Takes in one run; the next one may come when it is done. What costs least is checked first, and nothing is stored before everything holds:
 *
 *     sizes ─ gap ─ opening: form, space, admissions, signature ─ batches: form, chain ─ last signature or proof ─ fork ─ room to wait
 */
export async function takeRun(run: Run, options: IntakeOptions): Promise<Taken> {
  const { store, crypto, sessions, membership, appender } = options
  checkSizes(run)
  const held = sessions.get(run.session)
  if (run.from > (held?.stored.seq ?? 0) + 1) {
    if (held?.fork) return NOTHING
    throw new PeerplaneError('broken-chain', `commit ${run.from} does not follow what is held`)
  }
  const opening = held ? undefined : await membership.verify(run.session, run.opening)
  const { device, parents } = held ?? opening!.opening
  const { first } = held ?? opening!
  const decoded = await decodeRun(run, held, first, store)
  const told = proofAt(run, decoded, held)
  if (!decoded.last && !told) return NOTHING
  await verifyEnd(run, decoded, told, device, crypto)
  if (appender.writes(run.session)) {
    // A copy of this device writes the session, too. This one goes on in another session; then what both wrote is compared.
    await appender.retire()
    return takeRun(run, options)
  }
  const kept = await whatToKeep(decoded.fresh, { device, parents, told }, options)
  const { forms, awaits, full } = kept
  const fork = full ? undefined : await forkIn(decoded, told, held, store)
  if (full && forms.length === 0) return { ...NOTHING, awaits, full }
  const taken = await take({ session: run.session, opening, forms, fork }, options)
  return full ? { ...taken, awaits, full } : taken
}

async function take(news: News, options: IntakeOptions): Promise<Taken> {
  const { sessions, heads, delivery } = options
  const before = sessions.get(news.session)?.reach.seq ?? 0
  const held = await persist(news, options)
  for (const { batch, encoded } of news.forms) delivery.add(batch, encoded.length)
  if (news.fork) {
    heads.forked(held)
    delivery.forked(held)
  }
  const stored = news.forms.flatMap(({ batch }) => batch.commits)
  const delivered = await delivery.deliver()
  const taken = { stored, delivered, awaits: delivery.lacking(news.session), full: false }
  if (!news.fork) return taken
  const { seq } = news.fork
  const forked = { session: held.id, device: held.device, seq, undone: before >= seq }
  return { ...taken, forked }
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
  if (proof.seq !== end.seq || proof.previous !== end.previous) {
    throw new PeerplaneError(from > 1 ? 'broken-chain' : 'malformed', 'a proof stands elsewhere')
  }
  const isKnown = !contradiction && held?.fork && held.fork.seq <= proof.seq
  return isKnown ? undefined : proof
}

/** Verifies what speaks for the batches of a run. */
async function verifyEnd(
  run: Run,
  { last }: DecodedRun,
  told: ForkProof | undefined,
  device: DeviceId,
  crypto: Crypto,
): Promise<void> {
  if (told) {
    if (await verifyForkProof(told, device, crypto)) return
    throw new PeerplaneError('bad-signature', 'a run ends with a proof that proves nothing')
  }
  if (!last || (await verifyBatch(last, device, crypto))) return
  // The signature covers all batches before. If the device signed two versions of those, the sender may be honest and hold the other one.
  if (run.from > 1) {
    throw new PeerplaneError('broken-chain', 'a run does not continue the batches that are held')
  }
  throw new PeerplaneError('bad-signature', 'a run does not end with a batch its device signed')
}
