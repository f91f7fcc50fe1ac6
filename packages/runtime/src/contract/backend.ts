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

/** Everything a plane can be asked. */
export interface Backend {
  /**
   * Runs the commands as one atomic commit. When it resolves, every watch of these entities that was started before has shown a state that
   * contains the effect. Rejects without any effect, except with `unknown`.
   */
  invoke(invocations: readonly Invocation[], options: InvokeOptions): Promise<Outcome>
  /**
   * The outcome of the commands under an operation id, as long as it is among the latest `limits.operations`; waits for pending commands.
   * `undefined` means that they did not run, and never will: calling them with this id is refused as `withdrawn` from then on.
   */
  outcome(operationId: string): Promise<Outcome | undefined>
  /** Calls back with the entity as soon as it is loaded and after each change, until the returned function is called. */
  watchEntity(type: string, id: string, listener: (entity: Loaded) => void): () => void
  /** Calls back with all entities that the query names as soon as they are known and after each change. */
  watchType(
    type: string,
    query: ListQuery,
    listener: (rows: readonly ListedEntity[]) => void,
  ): () => void
  list(type: string, query: ListQuery): Promise<readonly ListedEntity[]>
  /** The status at this moment. A following tab has no status of its own: it knows the latest one that it was sent. */
  readonly status?: (() => PlaneStatus | undefined) | undefined
  /** Calls back with the status as soon as it is known and after each change. */
  watchStatus(listener: (status: PlaneStatus) => void): () => void
  /**
   * The text of an invitation. Rejects with `wrong-clock` if the clock seems wrong and is not trusted, or `not-allowed` if this device may not
   * make anchors.
   */
  invite(options: InvitationOptions): Promise<string>
  /**
   * Whether an invitation is to the space of this plane; `false` if it is to another one and nothing is lost if that space is opened instead.
   * Rejects with `invalid-invitation`, or `wrong-space` if something would be lost.
   */
  invited(invitation: string): Promise<boolean>
  setOnline(online: boolean): Promise<void>
  /**
   * The process may end with this task. From now on commands are stored as soon as they are decided, by writes that begin in the same task.
   * A command that must read something before it can be decided may come too late.
   */
  hasten(): void
  close(): Promise<void>
}

/** The backend of the runtime on this device. */
export interface LocalBackend extends Backend {
  /** Resolves when everything that watches have shown so far is durable; rejects if a part of it was given up. */
  readonly settled: () => Promise<void>
}

const name = text(limits.entityNameBytes)

const invitationOptions = object<InvitationOptions>({
  hours: optional(number),
  trustClock: optional(flag),
  anchor: optional(flag),
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

/** For how long an invitation can be used, whether the clock is trusted, and what it makes of a device. */
export interface InvitationOptions {
  /** Hours; 24 by default, `limits.invitationHours` at most. */
  readonly hours?: number | undefined
  /** Invites even if the clock of this device seems wrong. */
  readonly trustClock?: boolean | undefined
  /** Makes the device that uses it an anchor: always on, introduces and relays members. Only the creator of the space and anchors can. */
  readonly anchor?: boolean | undefined
}

/** The readers of how to invite. */
export const invitationReaders = {
  hours: checkHours,
  trustClock: option.switch,
  anchor: option.switch,
} as const

/** `hours`, if an invitation can last so long. */
export function checkHours(hours: unknown): number {
  if (typeof hours === 'number' && hours > 0 && hours <= limits.invitationHours) return hours
  const reason = `an invitation lasts more than 0 and at most ${limits.invitationHours} hours, not ${describe(hours)}`
  throw invalid(reason)
}

const invalid = (reason: string): PeerplaneError => new PeerplaneError('invalid-input', reason)
