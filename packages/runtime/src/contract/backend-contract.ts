import {
  limits,
  refusals,
  type CommitId,
  type DeviceId,
  type NetworkStatus,
  type Path,
  type SpaceId,
} from '@peerplane/core'
import type { ListQuery } from '@peerplane/crdt-store'

import type {
  Backend,
  Durability,
  Invocation,
  InvokeOptions,
  Loaded,
  Outcome,
  PeerStatus,
  PlaneStatus,
  Problem,
  Row,
} from './backend.ts'
import type { Contract } from './contract.ts'
import { entityUpdates, rowsUpdates } from './updates.ts'
import {
  count,
  flag,
  json,
  list,
  maybe,
  nothing,
  number,
  object,
  oneOf,
  optional,
  partial,
  tagged,
  text,
  tuple,
  type Form,
} from './form.ts'

const name = text(limits.entityNameBytes)
const durability: Form<Durability> = oneOf('memory', 'local', 'synced')
const path: Form<Path> = oneOf('anchor', 'webrtc', 'direct', 'relay')
const problem = object<Problem>({ code: text(), message: text() })

const invocation = object<Invocation>({
  type: name,
  id: name,
  command: name,
  input: optional(json),
  at: optional(text()),
})

const invokeOptions = object<InvokeOptions>({
  durability: optional(durability),
  operationId: optional(name),
})

const outcome = object<Outcome>({
  commit: optional(text<CommitId>()),
  durability,
  replies: list(maybe(json)),
})

const query = object<ListQuery>({
  prefix: optional(name),
  after: optional(name),
  limit: optional(count),
})

const row = object<Row>({ id: name, state: json })

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

const planeStatus = object<PlaneStatus>({
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
  online: flag,
  peers: list(peerStatus),
  network: optional(networkStatus),
  addresses: list(text()),
  lastError: optional(problem),
  clockDoubt: optional(text()),
})

const loaded = tagged<Loaded, 'phase'>('phase', {
  ready: object({ phase: oneOf('ready'), state: json, version: text(), pending: count }),
  unreadable: object({ phase: oneOf('unreadable'), problem }),
})

/** What can be asked of a backend from a distance. */
export type RemoteBackend = Omit<Backend, 'status' | 'hasten' | 'close'>

/** How it is asked. */
export const backendContract: Contract<RemoteBackend> = {
  invoke: {
    kind: 'ask',
    authority: 'write',
    repeat: {
      operationId: ([, { operationId }]) => operationId,
      mark: ([invocations, options], operationId) => [invocations, { ...options, operationId }],
    },
    given: tuple(list(invocation, limits.sections), invokeOptions),
    answer: outcome,
  },
  outcome: {
    kind: 'ask',
    authority: 'write',
    repeat: 'freely',
    given: tuple(name),
    answer: optional(outcome),
  },
  list: {
    kind: 'ask',
    authority: 'read',
    repeat: 'freely',
    given: tuple(name, query),
    answer: list(row),
  },
  invite: {
    kind: 'ask',
    authority: 'manage',
    repeat: 'freely',
    given: tuple(number, flag),
    answer: text(),
  },
  invited: {
    kind: 'ask',
    authority: 'manage',
    repeat: 'freely',
    given: tuple(text(limits.invitationBytes)),
    answer: flag,
  },
  setOnline: {
    kind: 'ask',
    authority: 'manage',
    repeat: 'freely',
    given: tuple(flag),
    answer: nothing,
  },
  watchEntity: {
    kind: 'watch',
    authority: 'read',
    durable: true,
    given: tuple(name, name),
    updates: () => entityUpdates(loaded),
    refused: ({ code, message }) => ({ phase: 'unreadable', problem: { code, message } }),
  },
  watchType: {
    kind: 'watch',
    authority: 'read',
    durable: true,
    given: tuple(name, query),
    updates: () => rowsUpdates(row),
  },
  watchStatus: {
    kind: 'watch',
    authority: 'read',
    durable: false,
    given: tuple(),
    updates: () => planeStatus,
  },
}
