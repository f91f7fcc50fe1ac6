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

/** What this device knows about another one. */
export interface PeerStatus {
  readonly device: DeviceId
  readonly anchor: boolean
  readonly path: Path
  /** Commits that we hold and the peer has not announced. */
  readonly pending: number
  /** Commits that the peer has announced and we do not hold. */
  readonly behind: number
  /** How many commits the peer has announced to hold. */
  readonly announced: number
}

/** The status of a plane, as data. */
export interface PlaneStatus {
  /** While `membership` is `none`: the space that the first command or invitation founds. */
  readonly space: SpaceId
  readonly device: DeviceId
  /** Whether the space was founded here or joined by an invitation. `none`: no data of the space is stored, and an invitation to any space is accepted. */
  readonly membership: 'none' | 'founded' | 'joined'
  readonly storage: 'ok' | 'failing'
  /** Commits held here. */
  readonly commits: number
  /** Commits that were stored here and are lost; they come back from devices that have them. `lastError` names their sessions. */
  readonly lost: number
  /** Commits held here that wait for a dependency. */
  readonly waiting: number
  /** Sessions whose next commit depends on a commit that differs from the one held here at that place. */
  readonly contradicted: number
  /** Sessions whose next commit cannot be read. */
  readonly unreadable: number
  /** Commits without effect, because they break a rule of their state model; counted since the plane was opened. */
  readonly void: number
  /** Sessions frozen because their device contradicted itself. */
  readonly forks: number
  /** Own commands that were accepted and have not reached their durability. */
  readonly pendingCommands: number
  /**
   * Own commands of durability `memory` that were acknowledged and then lost, because the store refused them; counted since the plane was
   * opened. A browser tab that takes over continues the count of the tab before it.
   */
  readonly undone: number
  /** Whether the application wants a network; `false` after `goOffline`. */
  readonly online: boolean
  readonly peers: readonly PeerStatus[]
  readonly network: NetworkStatus | undefined
  readonly addresses: readonly string[]
  readonly lastError: Problem | undefined
  /** Why the clock of this device seems wrong; `undefined` if it does not. */
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
