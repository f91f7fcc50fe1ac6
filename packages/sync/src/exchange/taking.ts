import {
  asPeerplaneError,
  decodeAdmission,
  decodeOpening,
  equalBytes,
  limits,
  type Admitted,
  type DeviceId,
  type ErrorCode,
  type OpeningEvidence,
  type PeerplaneError,
  type Run,
  type SessionId,
} from '@peerplane/core'

import { Rates } from '../bounds/rate.ts'
import type { Offer, RunOutcome } from '../engine/types.ts'
import type { SyncOptions } from '../types.ts'

/** What is repaired by asking again, or is nobody's fault. */
const QUIET: readonly ErrorCode[] = ['broken-chain', 'overloaded', 'closed']

const SESSION_RATE = {
  perSecond: limits.sessionsPerMinute / 60,
  burst: limits.sessionsAtOnce,
}

/** What is reported of the log. */
interface TakingEvents {
  readonly failed: (error: PeerplaneError) => void
  readonly worked: () => void
}

/** Takes runs of others into the log, and knows which of their sessions may have been delivered further since it was asked last. */
export class Taking {
  readonly #options: SyncOptions
  readonly #events: TakingEvents
  /** Sessions that each device has begun, at a bounded rate. */
  readonly #begun: Rates
  /** Sessions of others that may have been delivered further and are not announced yet. */
  readonly #fresh = new Set<SessionId>()
  #isAllFresh = false
  /** The last admission of the device that was remembered last; `null` for the creator. Most sessions that come together are of one device. */
  #remembered: Uint8Array | null | undefined

  constructor(options: SyncOptions, now: () => number, events: TakingEvents) {
    this.#options = options
    this.#events = events
    const rate = options.sessionRate ?? SESSION_RATE
    this.#begun = new Rates({ ...rate, now }, limits.shutOutMemory)
  }

  /** The sessions that may have been delivered further since the last call. */
  takeFresh(): readonly SessionId[] | 'all' {
    const taken = this.#isAllFresh ? 'all' : [...this.#fresh]
    this.#isAllFresh = false
    this.#fresh.clear()
    return taken
  }

  /** What the log makes of runs that `sender` sent over `link`; those that come too soon are not offered to it. */
  async take(
    link: string,
    sender: DeviceId | undefined,
    offers: readonly Offer[],
  ): Promise<RunOutcome[]> {
    const { replica } = this.#options
    const stored = replica.stored()
    const fit: { readonly run: Run; readonly opening: OpeningEvidence | undefined }[] = []
    const outcomes: RunOutcome[] = []
    for (const { run, asked } of offers) {
      // As soon as it is delivered, a batch of this device may depend on it.
      this.#fresh.add(run.session)
      // What comes with a session that is held is not looked at.
      const opening = stored.has(run.session) ? undefined : run.opening
      if (asked || !opening || this.#mayBegin(sender, opening)) fit.push({ run, opening })
      else outcomes.push({ run, result: 'overloaded' })
    }
    if (fit.length === 0) return outcomes
    const admitted = await replica
      .admitAll(fit.map(({ run }) => run))
      .catch((reason: unknown) => fit.map(() => ({ status: 'rejected', reason }) as const))
    for (const [index, { run, opening }] of fit.entries()) {
      const each = admitted[index]!
      if (each.status === 'rejected') {
        outcomes.push({ run, result: this.#refused(link, run, each.reason) })
      } else {
        this.#admitted(link, run, each.value)
        if (opening) this.#remember(opening)
        outcomes.push({ run, result: each.value })
      }
    }
    return outcomes
  }

  #admitted(link: string, { session }: Run, result: Admitted): void {
    this.#events.worked()
    this.#options.trace?.('range.taken', { link, session, ...result })
    this.#fresh.add(session)
    // Which sessions have waited for it, only the log knows.
    if (result.released > 0) this.#isAllFresh = true
  }

  /** Remembers the author of a session that the log has taken, and all who vouch for it. */
  #remember({ chain }: OpeningEvidence): void {
    const last = chain.at(-1) ?? null
    const before = this.#remembered
    if (last === before || (last && before && equalBytes(last, before))) return
    this.#remembered = last
    const { remember, space } = this.#options
    remember(last ? chain.map((each) => decodeAdmission(each).device) : [space.record.creator])
  }

  #refused(link: string, { session }: Run, reason: unknown): ErrorCode {
    const error = asPeerplaneError(reason, 'store-failed')
    this.#options.trace?.('range.refused', { link, session, code: error.code })
    if (!QUIET.includes(error.code)) this.#events.failed(error)
    return error.code
  }

  /** Each session stays in every frontier for ever: a device begins them slowly, and others bring those that it began at their own pace. */
  #mayBegin(sender: DeviceId | undefined, opening: OpeningEvidence): boolean {
    return sender === undefined || authorOf(opening) !== sender || this.#begun.take(sender)
  }
}

/** `undefined` for an opening that the log will refuse. */
function authorOf({ bytes }: OpeningEvidence): DeviceId | undefined {
  try {
    return decodeOpening(bytes).opening.device
  } catch {
    // Ignored: the log refuses it in a moment, with a reason.
    return undefined
  }
}
