import { array, limits, PeerplaneError, text, whole, type Json, type Value } from '@peerplane/core'
import type {
  Durability,
  EntityView,
  Invocation,
  InvokeOptions,
  ListQuery,
} from '@peerplane/runtime'

import type { PortableError } from './portable-error.ts'

/*
 * What tabs tell each other. All of them run code of one origin, but perhaps of different releases: the version in the names of the
 * channels keeps releases that speak otherwise apart, and whatever does not fit is dropped.
 *
 *   lobby, one per space     tab -> all      hello    a tab looks for the leader
 *                            leader -> all   opening  it lives, and cannot serve yet, or no longer
 *                                            leader   a new leader is ready
 *   line, one per tab        leader -> tab   welcome, answer, failed, view, tabs, alive
 *                            tab -> leader   ask, watch, unwatch, seen, ping
 *
 * Whatever goes over a line names the term of the leader it comes from or is meant for. A later term has a larger number: nothing of an
 * earlier leader is taken for the current, and a tab never goes back to one.
 */

/** A message to everybody. */
export type LobbyMessage =
  | { readonly kind: 'hello'; readonly tab: string }
  | { readonly kind: 'opening' }
  | { readonly kind: 'leader'; readonly term: number }

/** A message from a following tab. Ids are given by the tab and count up. */
export type FromTab =
  | { readonly kind: 'ask'; readonly term: number; readonly id: number; readonly ask: unknown }
  | {
      readonly kind: 'watch'
      readonly term: number
      readonly id: number
      readonly subject: unknown
    }
  | { readonly kind: 'unwatch'; readonly term: number; readonly id: number }
  /** The last view of this watch was shown: the next may come. */
  | { readonly kind: 'seen'; readonly term: number; readonly id: number }
  | { readonly kind: 'ping'; readonly term: number }

/** A message from the leader. Values and views are read by whoever asked for them. */
export type FromLeader =
  | WithCount<'welcome'>
  | {
      readonly kind: 'answer'
      readonly term: number
      readonly id: number
      readonly value: unknown
    }
  | {
      readonly kind: 'failed'
      readonly term: number
      readonly id: number
      readonly error: PortableError
    }
  | { readonly kind: 'view'; readonly term: number; readonly id: number; readonly view: unknown }
  | WithCount<'tabs'>
  /** The answer to a ping. */
  | { readonly kind: 'alive'; readonly term: number }

/** Says how many tabs follow, the one that gets this included. */
interface WithCount<Kind> {
  readonly kind: Kind
  readonly term: number
  readonly following: number
}

/** What a tab wants done; answered once. */
export type Ask =
  | {
      readonly kind: 'invoke'
      readonly invocations: readonly Invocation[]
      readonly options: InvokeOptions
    }
  | { readonly kind: 'outcome'; readonly operationId: string }
  | { readonly kind: 'list'; readonly type: string; readonly query: ListQuery }
  | { readonly kind: 'invite'; readonly hours: number; readonly trustClock: boolean }
  | { readonly kind: 'set-online'; readonly online: boolean }

/** What a tab wants to see, now and after each change. */
export type Subject =
  | { readonly kind: 'entity'; readonly type: string; readonly id: string }
  | { readonly kind: 'type'; readonly type: string; readonly query: ListQuery }
  | { readonly kind: 'status' }

/** The view of an entity; `state` is absent while it is the one sent before. */
export type EntityDelta = Omit<EntityView, 'state'> & Partial<Pick<EntityView, 'state'>>

/** All readers below throw `malformed` or `too-large`. */
export function readLobbyMessage(message: unknown): LobbyMessage {
  const { kind, tab, term } = fields(message)
  if (kind === 'hello') return { kind, tab: name(tab) }
  if (kind === 'opening') return { kind }
  if (kind === 'leader') return { kind, term: whole(term, 'term') }
  throw unknownKind()
}

export function readFromTab(message: unknown): FromTab {
  const { kind, term: numbered, id, ask, subject } = fields(message)
  const term = whole(numbered, 'term')
  if (kind === 'ping') return { kind, term }
  const head = { term, id: whole(id, 'id') }
  if (kind === 'ask') return { kind, ...head, ask }
  if (kind === 'watch') return { kind, ...head, subject }
  if (kind === 'unwatch' || kind === 'seen') return { kind, ...head }
  throw unknownKind()
}

export function readFromLeader(message: unknown): FromLeader {
  const { kind, id: numbered, value, error, view, following, ...rest } = fields(message)
  const term = whole(rest['term'], 'term')
  if (kind === 'alive') return { kind, term }
  if (kind === 'welcome' || kind === 'tabs') {
    return { kind, term, following: whole(following, 'following') }
  }
  const id = whole(numbered, 'id')
  if (kind === 'answer') return { kind, term, id, value }
  if (kind === 'failed') return { kind, term, id, error: readPortableError(error) }
  if (kind === 'view') return { kind, term, id, view }
  throw unknownKind()
}

export function readAsk(ask: unknown): Ask {
  const { kind, invocations, options, operationId, type, query, hours, trustClock, online } =
    fields(ask)
  if (kind === 'invoke') {
    const items = array(invocations, 'invocations')
    return { kind, invocations: items.map(readInvocation), options: readInvokeOptions(options) }
  }
  if (kind === 'outcome') return { kind, operationId: name(operationId) }
  if (kind === 'list') return { kind, type: name(type), query: readQuery(query) }
  if (kind === 'invite' && typeof hours === 'number' && typeof trustClock === 'boolean') {
    return { kind, hours, trustClock }
  }
  if (kind === 'set-online' && typeof online === 'boolean') return { kind, online }
  throw unknownKind()
}

export function readSubject(subject: unknown): Subject {
  const { kind, type, id, query } = fields(subject)
  if (kind === 'status') return { kind }
  if (kind === 'entity') return { kind, type: name(type), id: name(id) }
  if (kind === 'type') return { kind, type: name(type), query: readQuery(query) }
  throw unknownKind()
}

function readInvocation(invocation: unknown): Invocation {
  const { type, id, command, input, at } = fields(invocation)
  return {
    type: name(type),
    id: name(id),
    command: name(command),
    input: input as Json | undefined,
    at: optional(at, (value) => text(value, 'at', limits.valueBytes)),
  }
}

function readInvokeOptions(options: unknown): InvokeOptions {
  const { durability, operationId } = fields(options)
  if (durability !== undefined && !durabilities.has(durability as Durability)) throw unknownKind()
  return {
    durability: durability as Durability | undefined,
    operationId: optional(operationId, name),
  }
}

function readQuery(query: unknown): ListQuery {
  const { prefix, after, limit } = fields(query)
  return {
    ...(prefix !== undefined && { prefix: name(prefix) }),
    ...(after !== undefined && { after: name(after) }),
    ...(limit !== undefined && { limit: whole(limit, 'limit') }),
  }
}

function readPortableError(error: unknown): PortableError {
  const { code, message, operationId, rejection, reason } = fields(error)
  return {
    code: name(code),
    message: text(message, 'message', limits.valueBytes),
    ...(operationId !== undefined && { operationId: name(operationId) }),
    ...(rejection !== undefined && {
      rejection: text(rejection, 'rejection', limits.valueBytes),
      reason: text(reason, 'reason', limits.valueBytes),
    }),
  }
}

const durabilities: ReadonlySet<Durability> = new Set(['memory', 'local', 'synced'])

const unknownKind = (): PeerplaneError =>
  new PeerplaneError('malformed', 'a message between tabs is of no known kind')

const fields = (message: unknown): { readonly [name: string]: Value | undefined } => {
  if (typeof message === 'object' && message !== null && !Array.isArray(message)) {
    return message as { readonly [name: string]: Value }
  }
  throw unknownKind()
}

const name = (value: Value | undefined): string => text(value, 'name', limits.entityNameBytes)

const optional = <T>(value: Value | undefined, read: (value: Value) => T): T | undefined =>
  value === undefined ? undefined : read(value)
