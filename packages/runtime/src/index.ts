export type {
  Backend,
  Durability,
  EntityView,
  Invocation,
  InvokeOptions,
  Outcome,
  PeerStatus,
  PlaneStatus,
  Problem,
  Query,
  Row,
} from './backend.ts'
export {
  createPlane,
  type CommandMethods,
  type CommandOptions,
  type CommandOutcome,
  type EntityClient,
  type Plane,
  type RecordedOf,
} from './plane.ts'
export type { NetworkFactory, NetworkSpace, Ports } from './ports.ts'
export { openRuntime, type RuntimeOptions } from './runtime.ts'
