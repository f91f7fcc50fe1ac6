import {
  compactFrontier,
  limits,
  type DeviceId,
  type ErrorCode,
  type Perturb,
  type SessionId,
  type Tip,
  type Trace,
} from '@peerplane/core'

import { timing, type Effect, type LogView } from './types.ts'

/** A range that a peer has been asked for. */
interface Ask {
  readonly link: string
  readonly to: number
  readonly askedAt: number
  /** When it was asked, or a run of it was stored. */
  progressAt: number
  /** Runs of it that are being admitted. */
  admitting: number
}

/** How often a session has failed at a link since it last made progress, and until when it is not asked for there. */
interface Failure {
  readonly count: number
  readonly until: number
}

/** What is known and planned about one link. */
export interface LinkState {
  readonly id: string
  readonly device: DeviceId
  readonly frontierPeriod: number
  frontierAt: number
  /** Tips that the peer has sent. */
  readonly listed: Map<SessionId, Tip>
  /** Tips that follow from those by the openings held here. A listed tip wins, even a lower one. */
  readonly implied: Map<SessionId, Tip>
  /** Sessions that the peer has pushed: it is their author. */
  readonly authored: Set<SessionId>
  /** Sessions whose tip is yet to be announced to the peer, and the latest time to do so. */
  readonly owed: Set<SessionId>
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
  /** Sessions of which it wrote two versions and brought both. */
  forks: number
  /** When the peer last sent something that it had been asked for and that may be new. */
  answeredAt: number
  /** Failures since its frontier was last asked for. */
  errors: number
  questionAt: number
  replyAt: number
  /** From when on everything that the peer holds may be looked at again. */
  lookAt: number
  /** What it lacks, and what we lack of it, when that was last counted. */
  compared: { readonly at: number; readonly pending: number; readonly behind: number } | undefined
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
  /** Sessions that may have to be asked for now. */
  readonly open: Set<SessionId>
  /** Sessions that are looked at again at a time. */
  readonly delayed: Map<SessionId, number>
  readonly asks: Map<SessionId, Ask>
  /** Delivered seqs that are announced to every link, or queued for it. */
  readonly told: Map<SessionId, number>
  /** Devices that broke the protocol, how, and until when they are not listened to. */
  readonly banned: Map<DeviceId, Ban>
  ownSession: SessionId | undefined
  pausedUntil: number
  announceAt: number
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
    open: new Set(),
    delayed: new Map(),
    asks: new Map(),
    told: new Map([...log.delivered().values()].map(({ session, seq }) => [session, seq])),
    banned: new Map(),
    ownSession: undefined,
    pausedUntil: 0,
    announceAt: Infinity,
    announcePeriod: spread(timing.announcement, jitter),
    wakeAt: Infinity,
  }
}

/** A link over which nothing has been said. */
export function createLink(id: string, device: DeviceId, frontierPeriod: number): LinkState {
  return {
    id,
    device,
    frontierPeriod,
    frontierAt: 0,
    listed: new Map(),
    implied: new Map(),
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
    forks: 0,
    answeredAt: 0,
    errors: 0,
    questionAt: 0,
    replyAt: 0,
    lookAt: 0,
    compared: undefined,
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

/** How far a peer has announced a session. */
export const knownSeq = (link: LinkState, session: SessionId): number =>
  (link.listed.get(session) ?? link.implied.get(session))?.seq ?? 0

/** How far a session is stored here. */
export const storedSeq = (state: EngineState, session: SessionId): number =>
  state.log.stored().get(session)?.seq ?? 0

/** Everything a peer has announced, each session once. */
export function* knownTips(link: LinkState): Generator<Tip> {
  yield* link.listed.values()
  for (const tip of link.implied.values()) if (!link.listed.has(tip.session)) yield tip
}

/** The delivered frontier in the form that is announced. */
export const ownTips = (state: EngineState): Tip[] =>
  compactFrontier(state.log.delivered(), state.log.lineage)

/** Whether a link can take in one more session; a peer that lists more than the limit is heard no further. */
export const hasRoom = (link: LinkState): boolean => claims(link) < 2 * limits.frontierSessions

/** Of how many sessions is remembered how far a peer holds them. */
export const claims = ({ listed, implied }: LinkState): number => listed.size + implied.size
