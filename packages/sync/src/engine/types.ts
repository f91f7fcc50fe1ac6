import type { Admitted, DeviceId, ErrorCode, Replica, Run, SessionId } from '@peerplane/core'

import type { Announcement } from '../wire/announcement.ts'
import type { Message } from '../wire/messages.ts'

/** What the engine reads of the log: look-ups only. */
export type LogView = Pick<Replica, 'stored' | 'delivered' | 'tips'>

/** Commits `from` to `to` that this device has just written. */
export interface OwnBatch {
  readonly session: SessionId
  readonly from: number
  readonly to: number
}

/** A run of a peer; `asked` if the peer was asked for it. */
export interface Offer {
  readonly run: Run
  readonly asked: boolean
}

/** What the log has made of a run. */
export interface RunOutcome {
  readonly run: Run
  readonly result: Admitted | ErrorCode
}

/** What happens to the engine. Times are milliseconds of a clock that never goes back. */
export type Input = { readonly now: number } & (
  | {
      readonly kind: 'linkUp'
      readonly link: string
      readonly device: DeviceId
      /** From 0 to 1: spreads the periodic messages of many links. */
      readonly jitter: number
    }
  | { readonly kind: 'linkDown'; readonly link: string }
  | { readonly kind: 'message'; readonly link: string; readonly message: Message }
  /** A peer has broken the protocol: a frame that cannot be read. */
  | { readonly kind: 'violation'; readonly link: string; readonly code: ErrorCode }
  /** The log has changed: by a batch of this device, and in these sessions of others. */
  | {
      readonly kind: 'changed'
      readonly own: OwnBatch | undefined
      readonly others: Iterable<SessionId> | 'all'
    }
  /** The outcome of an `admit` effect. */
  | {
      readonly kind: 'admitted'
      readonly link: string
      readonly outcomes: readonly RunOutcome[]
    }
  /** A `sendRange` effect has been carried out, up to commit `to`; incomplete when no more could be read. */
  | {
      readonly kind: 'served'
      readonly link: string
      readonly session: SessionId
      readonly to: number
      readonly complete: boolean
    }
  /** More waits to leave over a link than may, or no longer so. */
  | { readonly kind: 'congestion'; readonly link: string; readonly congested: boolean }
  /** Somebody has gossiped what he holds. */
  | { readonly kind: 'announced'; readonly content: Announcement }
  | { readonly kind: 'tick' }
)

/** What the engine wants done, in this order. */
export type Effect =
  | { readonly kind: 'send'; readonly link: string; readonly message: Message }
  /** Send this device's batch of the `changed` input. */
  | { readonly kind: 'push'; readonly link: string }
  /** Send these commits in pieces as the link takes them, then report `served`. It replaces a pending range of the same session. */
  | {
      readonly kind: 'sendRange'
      readonly link: string
      readonly session: SessionId
      readonly from: number
      readonly to: number
    }
  /** Offer runs to the log. */
  | { readonly kind: 'admit'; readonly link: string; readonly runs: readonly Offer[] }
  | { readonly kind: 'announce'; readonly content: Announcement }
  | { readonly kind: 'disconnect'; readonly link: string; readonly reason: ErrorCode }
  /** Give a `tick` at this time; replaces an earlier one. */
  | { readonly kind: 'wakeAt'; readonly at: number }

/** How long things may take, in milliseconds. */
export const timing = {
  /** Between two summaries of everything over one link, give or take a quarter. */
  summary: 10_000,
  /** Between two announcements when nothing changes, give or take a quarter. */
  announcement: 10_000,
  /** From a change to its announcement. */
  announcementDelay: 300,
  /** From a change to telling a peer that has it already: many are acknowledged at once. */
  acknowledgement: 100,
  /** For which a direct link to the author of a session is trusted to bring what another peer has announced. */
  grace: 150,
  /** Without progress until an answer counts as lost; doubled with every loss. */
  want: 5_000,
  /** The same for a device that has missed answers, where another one has what it was asked for. */
  doubt: 500,
  /** In all, until the same: other answers over the link do not count for ever. */
  wantAtMost: 60_000,
  /** Until a range that failed at a peer is wanted from it again; doubled with every failure. */
  retry: 250,
  /** After this many failures, or one answer that the log refuses: the peer does not have what it claims. */
  attempts: 6,
  /** Until it is given another chance. */
  giveUp: 600_000,
  /** Until an overloaded log is offered the same again. */
  overload: 1_000,
  /** For which nothing is wanted after the store failed. */
  storeFailure: 5_000,
  /** For which a device that broke the protocol is not listened to; doubled each time. */
  ban: 10_000,
  /** Without violations, until that starts over. */
  forgive: 3_600_000,
  /** Runs that come unasked and are refused, until this counts as breaking it. */
  refusals: 16,
  /** The number of proofs within `forkMemory` that a device has forked sessions, until its links are refused. */
  forks: 3,
  forkMemory: 3_600_000,
  /** For how long the links of such a device are refused the first time. Doubled each time. */
  forkBan: 60_000,
  /** Between two summaries that are sent because a peer asked, and between two questions. */
  reply: 1_000,
  /** Without anything new from a peer, until the difference to it is looked for. */
  quiet: 1_000,
  /** Until the same difference is looked for again. */
  again: 60_000,
} as const
