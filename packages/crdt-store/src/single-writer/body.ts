import {
  decodeCanonical,
  encodeCanonical,
  freeze,
  jsonToValue,
  limits,
  utf8,
  type Json,
  type SessionId,
  type Value,
} from '@peerplane/core'

import { commitsToValue, readCommits, type NamedCommit } from '../kernels/commits.ts'
import { checkJson } from '../kernels/values.ts'
import { items, Void, whole } from '../kernels/void.ts'

/*
 *   events     [1, events]                                      events after those that the session has written
 *   value      [2, value]                                       a value in the place of the one that the session has written
 *   beginning  [3, commits, rank, number, value, events]        the value that the session begins with, and events after it
 *
 *   events     [name, event, name, event …]
 */

const EVENTS = 1
const VALUE = 2
const BEGINNING = 3

/** One event: its name and what it holds. */
export type NamedEvent = readonly [name: string, event: Json]

/** What a session begins with. */
export interface Beginning {
  readonly names: readonly NamedCommit[]
  readonly rank: number
  readonly number: number
  readonly value: Json
}

/** A section body of an entity with a single writer. */
export type WriterBody =
  | { readonly form: 'events'; readonly events: readonly NamedEvent[] }
  | { readonly form: 'value'; readonly value: Json }
  | ({ readonly form: 'beginning'; readonly events: readonly NamedEvent[] } & Beginning)

/** A body that was written for another kind of state. */
export interface OtherBody {
  readonly form: 'other'
}

export function encodeBody(body: WriterBody): Uint8Array {
  if (body.form === 'events') return encodeCanonical([EVENTS, eventsToValue(body.events)])
  if (body.form === 'value') return encodeCanonical([VALUE, jsonToValue(body.value)])
  const { names, rank, number, value, events } = body
  const commits = commitsToValue(names)
  const whole = jsonToValue(value)
  return encodeCanonical([BEGINNING, commits, rank, number, whole, eventsToValue(events)])
}

const eventsToValue = (events: readonly NamedEvent[]): Value =>
  events.flatMap(([name, event]) => [name, jsonToValue(event)])

/** Reads a body of `session`. Throws `Void` for one that breaks a rule. */
export function readBody(bytes: Uint8Array, session: SessionId): WriterBody | OtherBody {
  const fields = items(decode(bytes))
  const [form, ...rest] = fields
  if (form === EVENTS && rest.length === 1) {
    return { form: 'events', events: readEvents(rest[0], bytes.length, 1) }
  }
  if (form === VALUE && rest.length === 1) {
    return { form: 'value', value: freeze(checkJson(rest[0], bytes.length)) }
  }
  if (form === BEGINNING && rest.length === 5) return readBeginning(rest, bytes.length, session)
  if (form instanceof Uint8Array || isNative(fields)) return { form: 'other' }
  throw new Void('a body has a form that no state with a single writer reads')
}

/** Whether a body has the form of one of a native state: commits, ops, and perhaps a generation. */
const isNative = ({ 0: commits, length }: readonly Value[]): boolean =>
  Array.isArray(commits) && (length === 2 || length === 3)

function readBeginning(rest: readonly Value[], size: number, session: SessionId): WriterBody {
  const [commits, rank, number, value, events] = rest
  const names = readCommits(commits)
  if (names.length > limits.branchNames) throw new Void('a body names too many commits')
  if (names.some((each) => each.session === session)) {
    throw new Void('a body names its own session')
  }
  return {
    form: 'beginning',
    names,
    rank: whole(rank),
    number: whole(number),
    value: freeze(checkJson(value, size)),
    events: readEvents(events, size, 0),
  }
}

function readEvents(value: Value | undefined, size: number, least: number): NamedEvent[] {
  const list = items(value)
  if (list.length % 2 !== 0) throw new Void('an event has a name and a value')
  const count = list.length / 2
  if (count < least || count > limits.eventsPerSection) throw new Void('no events, or too many')
  return Array.from({ length: count }, (_, i) => {
    const name = list[2 * i]
    if (!isEventName(name)) throw new Void('an event has no name')
    return [name, freeze(checkJson(list[2 * i + 1], size))]
  })
}

/** Whether `name` can be the name of an event. */
const isEventName = (name: unknown): name is string =>
  typeof name === 'string' &&
  name !== '' &&
  name.length <= limits.entityNameBytes &&
  name.isWellFormed() &&
  utf8(name).length <= limits.entityNameBytes

function decode(body: Uint8Array): Value {
  try {
    return decodeCanonical(body)
  } catch {
    // Ignored: whatever it was; also bytes nested so deeply that the stack overflows are beyond every limit.
    throw new Void('the body is not canonical')
  }
}
