import {
  checkName,
  copyPlain,
  describe,
  isA,
  limits,
  PeerplaneError,
  type Json,
  type PlainBounds,
} from '@peerplane/core'
import type { ListQuery } from '@peerplane/crdt-store'

import type { Durability, InvokeOptions } from './backend.ts'

/*
 * What applications pass is taken here, at the call and before it goes anywhere: the same in every tab, daemon and process. All of these
 * throw `invalid-input`.
 */

/** How much an input or a reply may hold. */
export const inputBounds: PlainBounds = { depth: limits.inputDepth, size: limits.inputSize }

/** A copy of the input of a command; `undefined` is none. */
export const takeInput = (input: unknown): Json | undefined =>
  input === undefined ? undefined : copyPlain(input, 'the input', inputBounds)

/** How to run commands. */
export function takeInvokeOptions(options: unknown): InvokeOptions {
  const { durability, operationId } = takeObject(options, 'the options of a command')
  if (durability !== undefined && !durabilities.has(durability as Durability)) {
    throw invalid(`the durability is memory, local or synced, not ${describe(durability)}`)
  }
  return {
    durability: durability as Durability | undefined,
    operationId: operationId === undefined ? undefined : checkName(operationId, 'an operation id'),
  }
}

/** The version that a command refers to. */
export function takeVersion(options: unknown): string | undefined {
  const { at } = takeObject(options, 'the options of a command')
  if (at === undefined) return undefined
  if (typeof at === 'string' && at.length <= limits.valueBytes && at.isWellFormed()) return at
  throw invalid(`a version is a text that subscribe gave, not ${describe(at)}`)
}

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

/** For how many hours an invitation may be used, and whether the clock is trusted. */
export function takeInvitation(options: unknown): { hours: number; trustClock: boolean } {
  const { hours = 24, trustClock = false } = takeObject(options, 'the options of an invitation')
  if (typeof trustClock !== 'boolean') {
    throw invalid(`trustClock is true or false, not ${describe(trustClock)}`)
  }
  return { hours: checkHours(hours), trustClock }
}

/** `hours`, if an invitation can last so long. */
export function checkHours(hours: unknown): number {
  if (typeof hours === 'number' && hours > 0 && hours <= limits.invitationHours) return hours
  const reason = `an invitation lasts more than 0 and at most ${limits.invitationHours} hours, not ${describe(hours)}`
  throw invalid(reason)
}

/** A function that is called back. */
export function checkListener<F>(listener: F): F {
  if (typeof listener === 'function') return listener
  throw invalid(`a listener is a function, not ${describe(listener)}`)
}

/** The members of an options object, each read once. */
function takeObject(value: unknown, what: string): { readonly [name: string]: unknown } {
  if (typeof value !== 'object' || value === null) {
    throw invalid(`${what} are an object, not ${describe(value)}`)
  }
  try {
    return Array.isArray(value) ? notAnObject(what) : { ...value }
  } catch (cause) {
    throw isA(PeerplaneError, cause) ? cause : invalid(`${what} cannot be read`)
  }
}

function notAnObject(what: string): never {
  throw invalid(`${what} are an object, not a list`)
}

/** The beginning of an id: it may be empty. */
const takePart = (text: unknown, what: string): string => (text === '' ? '' : checkName(text, what))

const durabilities: ReadonlySet<Durability> = new Set(['memory', 'local', 'synced'])

const invalid = (reason: string): PeerplaneError => new PeerplaneError('invalid-input', reason)
