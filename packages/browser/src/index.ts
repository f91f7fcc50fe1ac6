export {
  command,
  counter,
  document,
  entity,
  errorKinds,
  map,
  PeerplaneError,
  record,
  register,
  Rejected,
  set,
  traceEvents,
  type Command,
  type CommandContext,
  type Commands,
  type CounterHandle,
  type DocumentHandle,
  type Entity,
  type ErrorCode,
  type HandleOf,
  type Handler,
  type Json,
  type MapHandle,
  type MirrorOf,
  type RegisterHandle,
  type SetHandle,
  type Shape,
  type StateOf,
  type Trace,
  type TraceFields,
  type TraceName,
} from '@peerplane/core'
export type {
  CommandOptions,
  CommandOutcome,
  Durability,
  EntityClient,
  InvokeOptions,
  Outcome,
  PeerStatus,
  Plane,
  PlaneStatus,
  Problem,
  Row,
  StoredSpace,
} from '@peerplane/runtime'
export { requestPersistence } from './adapters/persistence.ts'
export { invitationIn } from './invitation.ts'
export { open, type BrowserPlane } from './open.ts'
export type { OpenOptions } from './options.ts'
export { eraseSpace, spaces } from './spaces.ts'
export type { TabsStatus } from './tabs/stay.ts'
