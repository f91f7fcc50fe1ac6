import type { StandardSchemaV1 } from '@standard-schema/spec'

import { PeerplaneError } from '../errors.ts'
import type { DeviceId } from '../ids.ts'
import { limits } from '../limits.ts'
import type { HandleOf, MirrorOf, Shape } from './shapes.ts'
import { utf8 } from '../text.ts'

/** What a handler may know besides state and input. Handlers use no clock, randomness or network of their own. */
export interface CommandContext {
  /** Id of the entity. */
  readonly id: string
  /** The device on which the command runs. */
  readonly device: DeviceId
  /** Milliseconds since 1970, by the hybrid clock of the device. */
  readonly now: number
  /** A fresh unguessable id, 22 characters. */
  newId(): string
}

/** Decides a command: reads and changes `state`, may return a reply, throws `Rejected` to refuse. Synchronous and without side effects. */
export type Handler<State, Input, Reply> = (
  state: State,
  input: Input,
  context: CommandContext,
) => Reply

/** A handler, with the schema that its input must pass, if it has one. */
export type Command<State, Input, Reply> = Handler<State, Input, Reply> & {
  readonly input?: StandardSchemaV1<unknown, Input>
}

/** The commands of an entity with state `State`. */
export interface Commands<State> {
  readonly [name: string]: Command<State, never, unknown>
}

/** A declared entity type. */
export interface Entity<S extends Shape = Shape, C = object> {
  readonly type: string
  readonly state: S
  readonly consistency: 'causal'
  readonly commands: C
}

/** The plain state of an entity type. */
export type StateOf<E> = E extends Entity<infer S, unknown> ? MirrorOf<S> : never

/**
 * Declares an entity type: its state and the commands that change it.
 *
 * Throws `invalid-declaration` for a type that is not `[a-z][a-z0-9-.]*`, or a command whose name an entity's own members take.
 */
export function entity<const S extends Shape, C extends Commands<HandleOf<S>>>(
  type: string,
  declaration: { readonly state: S; readonly commands: C },
): Entity<S, C> {
  if (!/^[a-z][a-z0-9.-]*$/.test(type) || type.length > limits.entityNameBytes) {
    throw new PeerplaneError(
      'invalid-declaration',
      `"${type}" cannot name an entity type: use a-z, 0-9, dot and hyphen, starting with a letter`,
    )
  }
  for (const name of Object.keys(declaration.commands)) {
    if (reservedNames.has(name)) {
      throw new PeerplaneError(
        'invalid-declaration',
        `entity "${type}" has a command "${name}", which every entity has as its own`,
      )
    }
  }
  return { type, consistency: 'causal', ...declaration }
}

/** A command whose input is checked by any Standard Schema library before the handler runs. */
export function command<State, Input, Reply>(
  input: StandardSchemaV1<unknown, Input>,
  handler: Handler<State, Input, Reply>,
): Command<State, Input, Reply> {
  return Object.assign((...args: Parameters<typeof handler>) => handler(...args), { input })
}

/** Checks an entity id: 1 to 256 bytes of UTF-8, no half of a surrogate pair. Throws `invalid-input`. */
export function checkEntityId(id: string): void {
  const size = utf8(id).length
  if (size < 1 || size > limits.entityNameBytes) {
    throw new PeerplaneError(
      'invalid-input',
      `an entity id has 1 to ${limits.entityNameBytes} bytes; this one has ${size}`,
    )
  }
}

const reservedNames = new Set(['subscribe', 'state', 'status', 'id', 'type', 'then'])
