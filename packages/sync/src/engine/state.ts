import {
  limits,
  type DeviceId,
  type ErrorCode,
  type Perturb,
  type SessionId,
  type Summary,
  type Tip,
  type Trace,
} from '@peerplane/core'

import { timing, type Effect, type LogView } from './types.ts'

/** A session that a peer has said it holds up to a commit, and with which mark, if it said that. */
export interface Claim {
  readonly seq: number
  readonly mark: string | undefined
}

/** A range that a peer has been asked for. */
export interface Ask {
  readonly link: string
  readonly to: number
  readonly askedAt: number
  /** When it was asked, or a run of it was stored. */
  progressAt: number
  /** Runs of it that are being admitted. */
  admitting: number
  /** Whether another peer has said that it holds it further than we do. */
  isElsewhere: boolean
}

/** How often a session has failed at a link since it last made progress, and until when it is not asked for there. */
interface Failure {
  readonly count: number
  readonly until: number
}

/** A list that is read, page by page. */
interface Reading {
  readonly path: string
  /** Where the next page begins. */
  readonly after: number
  /** Whether that page was asked for. */
  readonly asked: boolean
  /** That page, while there is no room for it. */
  readonly page: { readonly tips: readonly Tip[]; readonly next: number } | undefined
}

/** What is known and planned about one link. */
export interface LinkState {
  readonly id: string
  readonly device: DeviceId
  readonly summaryPeriod: number
  summaryAt: number
  /** How far the peer has said it holds sessions: those that we lack, and some that have changed lately. */
  readonly claims: Map<SessionId, Claim>
  /** What the peer has delivered in all, as it said last. */
  remote: Summary | undefined
  /** The differing digests, ours and theirs, that were looked into last, and when. */
  walked: { readonly pair: string; readonly at: number } | undefined
  /** Until when the first search for a difference is left to the peer. */
  leftUntil: number | undefined
  /** The list of the peer that is read. */
  list: Reading | undefined
  /** Sessions that the peer has pushed: it is their author. */
  readonly authored: Set<SessionId>
  /** Sessions whose tip is yet to be announced to the peer. */
  readonly owed: Set<SessionId>
  /** When the peer is to be sent a summary, which acknowledges what it has brought. */
  tellAt: number
  congested: boolean
  /** How far this device's own session has been sent in order: the next batch may be pushed. */
  pushed: { readonly session: SessionId; readonly seq: number } | undefined
  readonly failures: Map<SessionId, Failure>
  /** Sessions of which the peer was asked for evidence of a fork, and from which commit on. */
  readonly suspected: Map<SessionId, number>
  /** Whether a range of this device's session is on its way: what is written meanwhile follows it. */
  following: boolean
  asks: number
  /** Sessions to be asked for as soon as there is room for more asks. */
  readonly queued: Set<SessionId>
  /** Runs that came unasked and were refused. */
  refusals: number
  /** When the peer last sent something that it had been asked for and that may be new. */
  answeredAt: number
  /** Failures since its summary was last asked for. */
  errors: number
  questionAt: number
  replyAt: number
  /** When something came that we had lacked. */
  progressAt: number
  /** When both last held the same. */
  equalAt: number
  /** When the peer last asked for something that we have. */
  servedAt: number
}

/** For how long a device is not listened to, and how often that has happened. */
interface Ban {
  readonly until: number
  readonly times: number
  readonly reason: ErrorCode
}

/** Everything the engine remembers. */
export interface EngineState {
  readonly log: LogView
  readonly perturb: Perturb
  readonly trace: Trace | undefined
  readonly links: Map<string, LinkState>
  /** Sessions that others wait for; they are asked for before all others. */
  readonly urgent: Set<SessionId>
  /** Sessions that may have to be asked for now. */
  readonly open: Set<SessionId>
  /** Sessions that are looked at again at a time. */
  readonly delayed: Map<SessionId, number>
  readonly asks: Map<SessionId, Ask>
  /** Delivered seqs that are announced to every link, or queued for it. */
  readonly told: Map<SessionId, number>
  /** Devices that broke the protocol, how, and until when they are not listened to. */
  readonly banned: Map<DeviceId, Ban>
  /** How many answers of each device did not come, less those that came since. */
  readonly missed: Map<DeviceId, number>
  /** When the last forks of each device were proved. */
  readonly forks: Map<DeviceId, readonly number[]>
  ownSession: SessionId | undefined
  pausedUntil: number
  announceAt: number
  /** Tips that have changed since the last announcement. */
  readonly fresh: Set<SessionId>
  readonly announcePeriod: number
  wakeAt: number
}

/** One step of the engine while it runs. */
export interface Transition {
  readonly state: EngineState
  readonly now: number
  readonly effects: Effect[]
}

/** An engine without links. `jitter` is from 0 to 1. */
export function createState(
  log: LogView,
  jitter: number,
  perturb: Perturb = () => false,
  trace?: Trace,
): EngineState {
  return {
    log,
    perturb,
    trace,
    links: new Map(),
    urgent: new Set(),
    open: new Set(),
    delayed: new Map(),
    asks: new Map(),
    told: new Map([...log.delivered().values()].map(({ session, seq }) => [session, seq])),
    banned: new Map(),
    missed: new Map(),
    forks: new Map(),
    ownSession: undefined,
    pausedUntil: 0,
    announceAt: Infinity,
    fresh: new Set(),
    announcePeriod: spread(timing.announcement, jitter),
    wakeAt: Infinity,
  }
}

/** A link over which nothing has been said. */
export function createLink(id: string, device: DeviceId, summaryPeriod: number): LinkState {
  return {
    id,
    device,
    summaryPeriod,
    summaryAt: 0,
    claims: new Map(),
    remote: undefined,
    walked: undefined,
    leftUntil: undefined,
    list: undefined,
    authored: new Set(),
    owed: new Set(),
    tellAt: Infinity,
    congested: false,
    pushed: undefined,
    following: false,
    failures: new Map(),
    suspected: new Map(),
    asks: 0,
    queued: new Set(),
    refusals: 0,
    answeredAt: 0,
    errors: 0,
    questionAt: 0,
    replyAt: 0,
    progressAt: 0,
    equalAt: -Infinity,
    servedAt: 0,
  }
}

/** `period`, give or take a quarter. */
export const spread = (period: number, jitter: number): number =>
  Math.round(period * (0.75 + jitter / 2))

/** Makes sure that a tick comes at `at` or before. */
export function wake({ state, effects }: Transition, at: number): void {
  if (at >= state.wakeAt) return
  state.wakeAt = at
  effects.push({ kind: 'wakeAt', at })
}

/** How far a peer has said it holds a session; 0 if it has not said so lately. */
export const knownSeq = (link: LinkState, session: SessionId): number =>
  link.claims.get(session)?.seq ?? 0

/** How many more answers of the device of a link did not come than came since. */
export const missedBy = ({ missed }: EngineState, { device }: LinkState): number =>
  missed.get(device) ?? 0

/** Counts answers of the device of a link that did not come; -1 for one that came. */
export function countMissed(state: EngineState, link: LinkState, more: 1 | -1): void {
  const { missed } = state
  const count = missedBy(state, link) + more
  missed.delete(link.device)
  if (count > 0) missed.set(link.device, count)
  dropOldest(missed)
}

/** Keeps what is remembered of devices within `limits.shutOutMemory`. */
export function dropOldest(devices: Map<DeviceId, unknown>): void {
  const [oldest] = devices.keys()
  if (devices.size > limits.shutOutMemory && oldest !== undefined) devices.delete(oldest)
}

/** How far a session is stored here. */
export const storedSeq = (state: EngineState, session: SessionId): number =>
  state.log.stored().get(session)?.seq ?? 0
