import { fromHex, limits, makeOpening, toHex } from '@peerplane/core'
import type {
  Admission,
  BatchId,
  DeviceId,
  Lineage,
  Opening,
  Perturb,
  Random,
  SessionId,
  SigningKey,
  SpaceRecord,
  Trace,
} from '@peerplane/core'

import type { Lineages } from './lineages.ts'
import type { Sessions } from './sessions.ts'

const MAX_START = Number.MAX_SAFE_INTEGER

/** The session that this log writes. */
export interface OwnSession {
  readonly id: SessionId
  readonly opening: Opening
  /** What its first batch names as the batch before it. */
  readonly first: BatchId
  /** Whether the opening is stored. */
  opened: boolean
  /** Number of the last commit, in memory. */
  seq: number
  /** The last batch that was made. */
  previous: BatchId
}

/** The session to which the next commit belongs. */
export interface OpenSession extends OwnSession {
  readonly lineage: Lineage
  /** How many batches of other sessions of this device were delivered when it began. */
  readonly delivered: number
}

/** Who writes. */
export interface Author {
  readonly space: SpaceRecord
  readonly key: SigningKey
  readonly chain: readonly Admission[]
  readonly random: Random
  readonly perturb?: Perturb | undefined
  readonly trace?: Trace | undefined
}

/** When a session begins. */
interface Beginning {
  /** The time of the wall clock, in milliseconds since 1970. */
  readonly now: number
  /** The start of the last session that this process has begun. */
  readonly after: number
}

/** Begins a session, in memory, on top of all that is held of this device. */
export function openOwnSession(
  author: Author,
  sessions: Sessions,
  lineages: Lineages,
  { now, after }: Beginning,
): OpenSession {
  const { space, key, chain, random, trace } = author
  const device = toHex(key.publicKey) as DeviceId
  const opening: Opening = {
    space: space.id,
    device,
    // Sessions beyond those that fit are not named; each is listed and requested on its own.
    parents: sessions.tipsOf(device).slice(0, limits.parents),
    admission: chain.at(-1)?.id ?? fromHex(space.id),
    nonce: random.bytes(16),
    // After the last valid start there is none; only a device that lies about its own starts gets there.
    start: Math.min(Math.max(now, after + 1, sessions.latestStart(device) + 1), MAX_START),
  }
  const { session: id, first } = makeOpening(opening)
  trace?.('session.begun', { session: id, device })
  const lineage = lineages.opening(opening)
  const delivered = sessions.deliveredOf(device)
  return { id, opening, lineage, delivered, first, opened: false, seq: 0, previous: first }
}
