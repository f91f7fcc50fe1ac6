import {
  copyPlain,
  describe,
  limits,
  PeerplaneError,
  type CommitId,
  type Json,
  type PlainBounds,
} from '@peerplane/core'

import { json, list, maybe, object, oneOf, optional, text, type Form } from './form.ts'
import { option } from './options.ts'

/*
 * Commands and their outcomes: as types, as forms that cross a boundary, and as they are taken from an application. What is taken is copied at
 * the call, before it goes anywhere: the same in every tab, daemon and process. Anything invalid throws `invalid-input`.
 */

/**
 * How durable the effect of a command is when its promise resolves.
 *
 * With the durability `memory`, the effect is visible in this process, but is lost if the process ends before the store has written it. If the store
 * refuses to write a command with the durability `memory`, its effect is undone, and the status counts the command in `undone`. With the durability
 * `local`, the effect survives the death of the process, but may be lost in a power failure. With the durability `synced`, the effect survives a
 * power failure if the disk obeys flush commands.
 */
export type Durability = 'memory' | 'local' | 'synced'

/** A call of one command on one entity. */
export interface Invocation {
  readonly type: string
  readonly id: string
  readonly command: string
  readonly input?: Json | undefined
  /** The version of the entity that the caller saw. If the input of the command contains positions in texts, they are positions in this version. */
  readonly at?: string | undefined
}

/** Options for running a command. */
export interface InvokeOptions {
  /** Default: `synced`. */
  readonly durability?: Durability | undefined
  /**
   * Commands with the same operation id run only once on this device, as long as its store survives. A repeated call with the same operation id gets
   * the outcome of the first call; a device remembers only the outcomes of its latest operations, at most `limits.operations` of them. A command with
   * an operation id has at least the durability `local`. `Backend.outcome` returns its outcome.
   */
  readonly operationId?: string | undefined
}

/** The outcome of commands that succeeded. */
export interface Outcome {
  /** The id of the commit with the changes of the commands, or `undefined` if the commands changed nothing. */
  readonly commit: CommitId | undefined
  /** The durability that the commit had reached when the promise resolved. */
  readonly durability: Durability
  /** The replies of the handlers, in the order in which the commands were called. */
  readonly replies: readonly (Json | undefined)[]
}

const name = text(limits.entityNameBytes)
const durabilities = ['memory', 'local', 'synced'] as const
const durability: Form<Durability> = oneOf(...durabilities)
/** The form of an invocation. */
export const invocation = object<Invocation>({
  type: name,
  id: name,
  command: name,
  input: optional(json),
  at: optional(text()),
})

/** The form of the options for running a command. */
export const invokeOptions = object<InvokeOptions>({
  durability: optional(durability),
  operationId: optional(name),
})

/** The form of an outcome. */
export const outcome = object<Outcome>({
  commit: optional(text<CommitId>()),
  durability,
  replies: list(maybe(json)),
})

/** The bounds for the size of an input or a reply. */
export const inputBounds: PlainBounds = { depth: limits.inputDepth, size: limits.inputSize }

/** Returns a copy of the input of a command; `undefined` means no input. */
export const takeInput = (input: unknown): Json | undefined =>
  input === undefined ? undefined : copyPlain(input, 'the input', inputBounds)

/** The functions that check the options for running a command. */
export const invokeReaders = {
  durability: option.oneOf<Durability>(...durabilities),
  operationId: option.name,
} as const

/** The function that checks the version to which a command refers. */
export const versionReader = {
  at: (value: unknown): string => {
    if (typeof value === 'string' && value.length <= limits.valueBytes && value.isWellFormed()) {
      return value
    }
    throw invalid(`a version is a string from subscribe, not ${describe(value)}`)
  },
} as const

const invalid = (reason: string): PeerplaneError => new PeerplaneError('invalid-input', reason)
