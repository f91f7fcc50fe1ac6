import { limits, type EntitySize, type Json } from '@peerplane/core'
import type { ListQuery } from '@peerplane/crdt-store'

import { count, flag, json, object, oneOf, optional, tagged, text } from './form.ts'
import { option, takeOptions } from './options.ts'
import { problem, type Problem } from './status.ts'

/* States of entities, one by one and in listings: as types, as forms, and as queries are taken from an application. */

/** The current state of a loaded entity. */
export type Loaded<State = Json> =
  | {
      readonly phase: 'ready'
      readonly state: State
      /** Identifies the state. A command can refer to the version of the state that its caller saw. */
      readonly version: string
      /** The number of commands of this device on this entity that have not reached their requested durability yet. */
      readonly pending: number
      /**
       * Whether the state lacks changes that only a newer version of the application can read. The missing changes appear after an update of the
       * application.
       */
      readonly incomplete: boolean
      /**
       * Whether the entity has several branches, of which `state` is the one that is shown. Only entities with a single writer, `events` and `value`,
       * can have a conflict. It ends when a command chooses a branch.
       */
      readonly conflict: boolean
      /** How large the entity is, and how large commands may make it. */
      readonly size: EntitySize
    }
  | { readonly phase: 'unreadable'; readonly problem: Problem }

/** One listed entity. */
export interface ListedEntity<State = Json> {
  readonly id: string
  readonly state: State
}

const name = text(limits.entityNameBytes)
/** The form of a query. */
export const query = object<ListQuery>({
  prefix: optional(name),
  after: optional(name),
  limit: optional(count),
})

/** The form of a listed entity. */
export const listed = object<ListedEntity>({ id: name, state: json })

const size = object<EntitySize>({
  bytes: count,
  ops: count,
  mostBytes: optional(count),
  mostOps: optional(count),
})

/** The form of an entity that was loaded. */
export const loaded = tagged<Loaded, 'phase'>('phase', {
  ready: object({
    phase: oneOf('ready'),
    state: json,
    version: text(),
    pending: count,
    incomplete: flag,
    conflict: flag,
    size,
  }),
  unreadable: object({ phase: oneOf('unreadable'), problem }),
})

/** Which entities to list. Throws `invalid-input`. */
export const takeQuery = (query: unknown): ListQuery =>
  takeOptions<ListQuery>(query, {
    prefix: option.prefix,
    after: option.prefix,
    limit: option.whole,
  })
