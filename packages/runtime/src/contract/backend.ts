import { describe, limits, PeerplaneError } from '@peerplane/core'
import type { ListQuery } from '@peerplane/crdt-store'

import type { Contract } from './contract.ts'
import { flag, list, nothing, number, object, optional, text, tuple } from './form.ts'
import {
  invocation,
  invokeOptions,
  outcome,
  type Invocation,
  type InvokeOptions,
  type Outcome,
} from './invocation.ts'
import { option } from './options.ts'
import { loaded, query, listed, type Loaded, type ListedEntity } from './states.ts'
import { planeStatus, type PlaneStatus } from './status.ts'
import { entityUpdates, listUpdates } from './updates.ts'

/*
 * What a plane can be asked. A plane is typed sugar over a backend; the backend is the runtime of this device, or, in a tab that follows
 * another, a channel to the runtime of the tab that leads.
 */

/** All operations of a plane, which take and return plain data. */
export interface Backend {
  /**
   * Runs the commands as one atomic commit. When the promise of `invoke` resolves, every watch that began earlier has shown a state with the effect
   * of the commands. A rejected call has no effect, unless its error has the code `unknown`.
   */
  invoke(invocations: readonly Invocation[], options: InvokeOptions): Promise<Outcome>
  /**
   * Resolves with the outcome of the commands that were called with this operation id. If the commands are pending, `outcome` waits for them. A
   * device remembers only the outcomes of its latest operations, at most `limits.operations` of them. The outcome `undefined` means that the commands
   * did not run and never will: later calls with this operation id are refused as `withdrawn`.
   */
  outcome(operationId: string): Promise<Outcome | undefined>
  /** Calls `listener` with the state of the entity as soon as it is loaded, and after each change, until the returned function is called. */
  watchEntity(type: string, id: string, listener: (entity: Loaded) => void): () => void
  /** Calls `listener` with all entities that match the query as soon as they are loaded, and after each change. */
  watchType(
    type: string,
    query: ListQuery,
    listener: (rows: readonly ListedEntity[]) => void,
  ): () => void
  list(type: string, query: ListQuery): Promise<readonly ListedEntity[]>
  /** Returns the current status. In a tab that follows a leading tab, `status` returns the latest status that the leading tab has sent. */
  readonly status?: (() => PlaneStatus | undefined) | undefined
  /** Calls `listener` with the status as soon as it is known, and after each change. */
  watchStatus(listener: (status: PlaneStatus) => void): () => void
  /**
   * Makes an invitation to the space, as text. Rejects with `wrong-clock` if the clock of this device seems wrong and `trustClock` is not set, or
   * with `not-allowed` if this device may not invite anchors.
   */
  invite(options: InvitationOptions): Promise<string>
  /**
   * Whether an invitation is for the space of this plane. The result `false` means that the invitation is for a different space, and that this plane
   * can join this space without losing data. Rejects with `invalid-invitation`, or with `wrong-space` if joining the other space would lose data.
   */
  invited(invitation: string): Promise<boolean>
  setOnline(online: boolean): Promise<void>
  /**
   * Prepares the plane for a process that may end after the current task, such as a page that is being closed. After `hasten`, the write that stores
   * a command begins in the task in which the handler of the command has run. If a command must first read from the store, its handler runs in a
   * later task, so this command may be lost despite `hasten`.
   */
  hasten(): void
  close(): Promise<void>
}

/** The backend of a runtime in the same process, not in another tab. */
export interface LocalBackend extends Backend {
  /** Resolves when all changes that watches have shown so far are durable. Rejects if some of the shown changes were undone. */
  readonly settled: () => Promise<void>
}

const name = text(limits.entityNameBytes)

const invitationOptions = object<InvitationOptions>({
  hours: optional(number),
  trustClock: optional(flag),
  anchor: optional(flag),
})

/** The operations of a backend that another tab can call. */
export type RemoteBackend = Omit<Backend, 'status' | 'hasten' | 'close'>

/** The forms of the arguments and results of these operations. */
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
    answer: list(listed),
  },
  invite: {
    kind: 'ask',
    authority: 'manage',
    repeat: 'freely',
    given: tuple(invitationOptions),
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
    updates: () => listUpdates(listed),
  },
  watchStatus: {
    kind: 'watch',
    authority: 'read',
    durable: false,
    given: tuple(),
    updates: () => planeStatus,
  },
}

/** Options for an invitation: how long it is valid, the role that it gives, and whether to trust the clock of this device. */
export interface InvitationOptions {
  /** For how many hours the invitation is valid. Default: 24 hours; at most `limits.invitationHours`. */
  readonly hours?: number | undefined
  /** Whether to make the invitation even if the clock of this device seems wrong. */
  readonly trustClock?: boolean | undefined
  /**
   * Whether to invite an anchor: an always-on device that introduces and relays members. Only the creator of the space and anchors can invite
   * anchors.
   */
  readonly anchor?: boolean | undefined
}

/** The functions that check the options of an invitation. */
export const invitationReaders = {
  hours: checkHours,
  trustClock: option.switch,
  anchor: option.switch,
} as const

/** Returns `hours` if an invitation can be valid for so long. */
export function checkHours(hours: unknown): number {
  if (typeof hours === 'number' && hours > 0 && hours <= limits.invitationHours) return hours
  const reason = `an invitation lasts more than 0 and at most ${limits.invitationHours} hours, not ${describe(hours)}`
  throw invalid(reason)
}

const invalid = (reason: string): PeerplaneError => new PeerplaneError('invalid-input', reason)
