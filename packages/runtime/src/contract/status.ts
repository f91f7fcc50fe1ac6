import {
  refusals,
  type DeviceId,
  type NetworkStatus,
  type Path,
  type SpaceId,
} from '@peerplane/core'

import { count, flag, list, object, oneOf, optional, partial, text, type Form } from './form.ts'

/* The status of a plane: as types and as forms. */

/** A failure as data. */
export interface Problem {
  readonly code: string
  readonly message: string
}

/** The status of another device, as far as this device knows it. */
export interface PeerStatus {
  readonly device: DeviceId
  readonly anchor: boolean
  readonly path: Path
  /** The number of commits that this device holds, but that the peer has not yet said it holds. */
  readonly pending: number
  /** The number of commits that the peer has said it holds, but that this device does not hold. */
  readonly behind: number
  /** The number of commits that the peer has said it holds. */
  readonly announced: number
}

/** The status of a plane, as plain data. */
export interface PlaneStatus {
  /** The id of the space. While `membership` is `none`, `space` is the id that the space will get if this device founds it. */
  readonly space: SpaceId
  readonly device: DeviceId
  /**
   * How this device became a member of the space: `founded` if it founded the space, `joined` if it accepted an invitation, or `none` if it is not a
   * member yet. While the membership is `none`, no data of the space is stored, and an invitation to any space is accepted.
   */
  readonly membership: 'none' | 'founded' | 'joined'
  readonly storage: 'ok' | 'failing'
  /** The number of commits that this device holds. */
  readonly commits: number
  /**
   * The number of commits that this device had stored and has lost. Other devices that have the lost commits send them again. `lastError` names the
   * sessions of lost commits.
   */
  readonly lost: number
  /** The number of commits that this device holds, but that wait for a missing commit on which they depend. */
  readonly waiting: number
  /**
   * The number of sessions that cannot continue on this device, because their next commit depends on one version of a forked commit, and this device
   * holds the other version.
   */
  readonly contradicted: number
  /** The number of sessions whose next commit is not delivered, because the store cannot read one of its dependencies. */
  readonly unreadable: number
  /** The number of commits since the plane was opened that have no effect, because they break a rule of their state model. */
  readonly void: number
  /**
   * The number of deleted entities of which this device keeps a record, so that a late change of such an entity has the right effect. Counted each
   * time the device stores its states, about two seconds after a change.
   */
  readonly deleted: number
  /** The number of forked sessions. A session is forked if its device signed two versions of it. */
  readonly forks: number
  /** The number of commands of this device that were accepted, but have not reached their requested durability yet. */
  readonly pendingCommands: number
  /**
   * The number of commands that were undone since the plane was opened, because the store refused to write them after they had been acknowledged with
   * the durability `memory`. If another browser tab becomes the leader, the new leader does not start at 0: it adds to the number of the previous
   * leader.
   */
  readonly undone: number
  /** Whether the application wants the plane to use the network. `false` after `goOffline`. */
  readonly online: boolean
  readonly peers: readonly PeerStatus[]
  readonly network: NetworkStatus | undefined
  readonly addresses: readonly string[]
  readonly lastError: Problem | undefined
  /** The reason why the clock of this device seems wrong, or `undefined` if the clock seems right. */
  readonly clockDoubt: string | undefined
}

const path: Form<Path> = oneOf('anchor', 'webrtc', 'direct', 'relay')
/** The form of a failure. */
export const problem = object<Problem>({ code: text(), message: text() })

const networkStatus = object<NetworkStatus>({
  started: flag,
  connections: list(object({ peer: text(), path })),
  lastError: optional(text()),
  refused: partial(refusals, count),
})

const peerStatus = object<PeerStatus>({
  device: text<DeviceId>(),
  anchor: flag,
  path,
  pending: count,
  behind: count,
  announced: count,
})

/** The form of the status of a plane. */
export const planeStatus = object<PlaneStatus>({
  space: text<SpaceId>(),
  device: text<DeviceId>(),
  membership: oneOf('none', 'founded', 'joined'),
  storage: oneOf('ok', 'failing'),
  commits: count,
  lost: count,
  waiting: count,
  contradicted: count,
  unreadable: count,
  void: count,
  deleted: count,
  forks: count,
  pendingCommands: count,
  undone: count,
  online: flag,
  peers: list(peerStatus),
  network: optional(networkStatus),
  addresses: list(text()),
  lastError: optional(problem),
  clockDoubt: optional(text()),
})
