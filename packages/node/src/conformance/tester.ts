import type { Clock, Crypto, Invitation, Random, Scheduler } from '@peerplane/core'

import type { Ledger } from './ledger.ts'
import type { RuleId } from './rules.ts'
import type { Verdicts } from './verdicts.ts'

/** What all checks of one run share. */
export interface Tester {
  readonly invitation: Invitation
  /** Multiaddress of the peer. */
  readonly address: string
  readonly verdicts: Verdicts
  readonly ledger: Ledger
  /** Aborts when the time is over. */
  readonly signal: AbortSignal
  /** Everything that has to be closed at the end. */
  readonly opened: Set<{ close(): Promise<void> }>
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: Random
  readonly crypto: Crypto
}

/** Checks of some rules, which run together. */
export interface Check {
  readonly name: string
  readonly rules: readonly RuleId[]
  readonly run: (tester: Tester) => Promise<void>
}
