import {
  compareTimestamps,
  fromHex,
  laterOf,
  limits,
  makeOpening,
  timestampAfter,
  toHex,
} from '@peerplane/core'
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
  Timestamp,
  Trace,
} from '@peerplane/core'

import type { Lineages } from './lineages.ts'
import type { Sessions } from './sessions.ts'

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

/** What a session begins with. */
interface Beginning {
  /** The time of its first commit. */
  readonly time: Timestamp
  /** The latest raised time of what this process has written. */
  readonly raised: Timestamp | undefined
}

/** Begins a session, in memory, on top of all that is held of this device. */
export function openOwnSession(
  author: Author,
  sessions: Sessions,
  lineages: Lineages,
  { time, raised }: Beginning,
): OpenSession {
  const { space, key, chain, random, trace } = author
  const device = toHex(key.publicKey) as DeviceId
  const floor = floorAfter([raised, sessions.raisedOf(device)], time)
  const opening: Opening = {
    space: space.id,
    device,
    // Sessions beyond those that fit are not named; each is listed and requested on its own.
    parents: sessions.tipsOf(device).slice(0, limits.parents),
    admission: chain.at(-1)?.id ?? fromHex(space.id),
    nonce: random.bytes(16),
    ...(floor && { floor }),
  }
  const { session: id, first } = makeOpening(opening)
  trace?.('session.begun', { session: id, device })
  const lineage = lineages.opening(opening)
  const delivered = sessions.deliveredOf(device)
  return { id, opening, lineage, delivered, first, opened: false, seq: 0, previous: first }
}

/**
 * The floor of a session whose first commit has this time, after commits with these raised times. None is needed if the time is later: the clock of
 * a device does not go back while a session lasts.
 */
function floorAfter(
  earlier: readonly (Timestamp | undefined)[],
  time: Timestamp,
): Timestamp | undefined {
  const known = earlier.filter((each) => each !== undefined)
  if (known.length === 0) return undefined
  const latest = known.reduce(laterOf)
  return compareTimestamps(latest, time) < 0 ? undefined : timestampAfter(latest)
}
