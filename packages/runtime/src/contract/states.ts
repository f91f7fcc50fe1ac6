import { checkName, describe, limits, PeerplaneError, type Json } from '@peerplane/core'
import type { ListQuery } from '@peerplane/crdt-store'

import { takeObject } from './arguments.ts'
import { count, json, object, oneOf, optional, tagged, text } from './form.ts'
import { problem, type Problem } from './status.ts'

/* States of entities, one by one and in listings: as types, as forms, and as queries are taken from an application. */

/** An entity that was loaded, as it is now. */
export type Loaded<State = Json> =
  | {
      readonly phase: 'ready'
      readonly state: State
      /** Names the state, for commands that refer to it. */
      readonly version: string
      /** Commands of this device on this entity that have not reached their durability. */
      readonly pending: number
    }
  | { readonly phase: 'unreadable'; readonly problem: Problem }

/** One listed entity. */
export interface Row<State = Json> {
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
export const row = object<Row>({ id: name, state: json })

/** The form of an entity that was loaded. */
export const loaded = tagged<Loaded, 'phase'>('phase', {
  ready: object({ phase: oneOf('ready'), state: json, version: text(), pending: count }),
  unreadable: object({ phase: oneOf('unreadable'), problem }),
})

/** Which entities to list. */
export function takeQuery(query: unknown): ListQuery {
  const { prefix, after, limit } = takeObject(query, 'a query')
  if (limit !== undefined && !(Number.isSafeInteger(limit) && (limit as number) >= 0)) {
    throw invalid(`the limit of a query is a whole number, not ${describe(limit)}`)
  }
  return {
    ...(prefix !== undefined && { prefix: takePart(prefix, 'the prefix of a query') }),
    ...(after !== undefined && { after: takePart(after, 'the start of a query') }),
    ...(limit !== undefined && { limit: limit as number }),
  }
}

/** The beginning of an id: it may be empty. */
const takePart = (text: unknown, what: string): string => (text === '' ? '' : checkName(text, what))

const invalid = (reason: string): PeerplaneError => new PeerplaneError('invalid-input', reason)
