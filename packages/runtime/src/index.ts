export type { ListQuery } from '@peerplane/crdt-store'
export type { Backend, LocalBackend } from './contract/backend.ts'
export type { Durability, Invocation, InvokeOptions, Outcome } from './contract/invocation.ts'
export type { Loaded, ListedEntity } from './contract/states.ts'
export type { PeerStatus, PlaneStatus, Problem } from './contract/status.ts'
export {
  type CommandMethods,
  type CommandOptions,
  type CommandOutcome,
  type EntityClient,
  type EntityMembers,
  type Known,
  type RecordedOf,
} from './plane/client.ts'
export type { InvitationOptions } from './contract/backend.ts'
export { createPlane, type Plane, type PlaneTools } from './plane/plane.ts'
export { openWithin, waitReaders, type Wait } from './plane/wait.ts'
export { option, takeOptions, type OptionReader } from './contract/options.ts'
export { checkListener, distinct, shielded } from './plane/listening.ts'
export type { NetworkFactory, NetworkSpace, Ports, Report } from './ports.ts'
export { checkInvitation, type Remembered } from './membership/membership.ts'
export { readStoredSpace, type ReadableStore, type StoredSpace } from './membership/stored-space.ts'
export { keyInStore } from './membership/stored-key.ts'
export { openRuntime, type Runtime, type RuntimeOptions } from './runtime.ts'
export { systemClock } from './adapters/clock.ts'
export { systemPlatform } from './adapters/platform.ts'
export { systemRandom } from './adapters/random.ts'
export { systemReport } from './adapters/report.ts'
export { systemScheduler } from './adapters/scheduler.ts'
export { generateKeyPair, signingKeyOf, webCrypto } from './adapters/web-crypto.ts'
