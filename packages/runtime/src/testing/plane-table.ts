import { command, counter, entity, limits, map, record, register, set } from '@peerplane/core'
import type { HandleOf, Json } from '@peerplane/core'
import {
  either,
  isData,
  isFunction,
  isName,
  isOptions,
  isUndefined,
  type FunctionTable,
  type Parameter,
} from '@peerplane/core/testing'

import type { Plane } from '../plane.ts'

/** What the functions of the application do next. */
const application: {
  handler: (thing: ThingHandle) => unknown
  schema: () => unknown
} = { handler: () => undefined, schema: () => undefined }

const shape = record({
  count: counter(),
  note: register<Json>(null),
  tags: set<string | number>(),
  stock: map(counter()),
})
type ThingHandle = HandleOf<typeof shape>

const numbers = (value: unknown): unknown =>
  typeof value === 'number' ? { value } : { issues: [{ message: 'give a number' }] }

const schemaOf = (validate: (value: unknown) => unknown) => ({
  '~standard': { version: 1, vendor: 'table', validate: validate as never } as const,
})

/** An entity with every native kind of state. */
export const Thing = entity('thing', {
  state: shape,
  commands: {
    put: (thing, input: Json | undefined) => {
      thing.count.increment()
      return input
    },
    checked: command(schemaOf(numbers), (thing: ThingHandle, input: Json) => thing.note.set(input)),
    judged: command(
      schemaOf(() => application.schema()),
      (thing: ThingHandle) => thing.note.set('judged'),
    ),
    run: (thing) => {
      thing.count.increment()
      return application.handler(thing) as Json
    },
  },
})

const refusals = ['invalid-input', 'too-large']

/** A parameter that is refused with one of `codes`. */
export const parameter = (
  takes: Parameter['takes'],
  pass: Parameter['pass'],
  codes: readonly string[] = refusals,
): Parameter => ({ pass, takes, codes })

const never = (): boolean => false
const optional = (takes: (value: unknown) => boolean) => either(isUndefined, takes)
const isPart = either(isName, (value) => value === '')
const isWhole = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0
const isHours = (value: unknown): boolean =>
  typeof value === 'number' && value > 0 && value <= limits.invitationHours
const isDurability = (value: unknown): boolean =>
  ['memory', 'local', 'synced'].includes(value as string)
const isVersion = (value: unknown): boolean =>
  typeof value === 'string' && value.length <= limits.valueBytes && value.isWellFormed()

/** The plane that is tried. */
export interface Tried {
  plane: Plane
}

type Free<T> = { readonly [Name in keyof T]: (...args: unknown[]) => unknown }

/** The functions of a plane. */
export function planeTable(tried: Tried): FunctionTable {
  // Whatever is passed here comes from programs without types.
  const plane = (): Free<Plane> => tried.plane as unknown as Free<Plane>
  const thing = () => tried.plane.get(Thing, 'a')
  type On = (client: unknown) => ReturnType<typeof thing>
  const record = (callback: (on: On) => unknown, ...options: unknown[]): unknown =>
    plane().atomic(callback, ...options)
  const ended = (stop: unknown): void => (stop as () => void)()
  const ignore = (): void => undefined
  const unknown = ['unknown-entity']
  return {
    get: {
      entity: parameter(never, (value) => plane().get(value, 'a'), unknown),
      id: parameter(isName, (value) => plane().get(Thing, value)),
    },
    list: {
      entity: parameter(never, (value) => plane().list(value), unknown),
      ...queryRows((query) => plane().list(Thing, query)),
    },
    subscribe: {
      entity: parameter(never, (value) => ended(plane().subscribe(value, ignore)), unknown),
      listener: parameter(isFunction, (value) => ended(plane().subscribe(Thing, value))),
      ...queryRows((query) => ended(plane().subscribe(Thing, ignore, query))),
    },
    atomic: {
      record: parameter(never, (value) => plane().atomic(value), [...refusals, 'its own']),
      returned: parameter(isUndefined, (value) => record((on) => [on(thing()).put(), value][1])),
      client: parameter(never, (value) => record((on) => void on(value).put())),
      input: parameter(optional(isData), (value) =>
        record((on) => void on(thing()).put(value as Json)),
      ),
      at: parameter(optional(isVersion), (at) =>
        record((on) => void on(thing()).put(1, { at: at as string })),
      ),
      ...optionRows((options) => record((on) => void on(thing()).put(), options)),
    },
    outcome: { operationId: parameter(isName, (value) => plane().outcome(value)) },
    status: {},
    onStatus: { listener: parameter(isFunction, (value) => ended(plane().onStatus(value))) },
    invite: {
      options: parameter(optional(isOptions), (value) => plane().invite(value)),
      hours: parameter(optional(isHours), (hours) => plane().invite({ hours })),
      trustClock: parameter(
        optional((value) => typeof value === 'boolean'),
        (trustClock) => plane().invite({ trustClock }),
      ),
    },
    goOffline: {},
    goOnline: {},
    close: {},
  }
}

/** The functions of a client of {@link Thing}. */
export function clientTable(tried: Tried): FunctionTable {
  type Client = ReturnType<typeof clientOf>
  const clientOf = ({ plane }: Tried) => plane.get(Thing, 'a')
  const client = (): Free<Client> => clientOf(tried) as unknown as Free<Client>
  return {
    put: {
      input: parameter(optional(isData), (value) => client().put(value)),
      at: parameter(optional(isVersion), (at) => client().put(1, { at })),
      ...optionRows((options) => client().put(1, options)),
    },
    checked: { input: parameter(Number.isFinite, (value) => client().checked(value)) },
    judged: {
      given: applicationRow(never, (value) => {
        application.schema = () => value
        return client().judged()
      }),
      promised: applicationRow(never, (value) => {
        application.schema = async () => value
        return client().judged()
      }),
      issues: applicationRow(isUndefined, (value) => {
        application.schema = () => ({ issues: value, value: 1 })
        return client().judged()
      }),
      thrown: applicationRow(never, (value) => {
        application.schema = () => raise(value)
        return client().judged()
      }),
      'thrown later': applicationRow(never, (value) => {
        application.schema = async () => raise(value)
        return client().judged()
      }),
    },
    run: {
      returned: applicationRow(optional(isData), (value) => {
        application.handler = () => value
        return client().run()
      }),
      thrown: applicationRow(never, (value) => {
        application.handler = () => raise(value)
        return client().run()
      }),
    },
    subscribe: {
      listener: parameter(isFunction, (value) => (client().subscribe(value) as () => void)()),
    },
    state: {},
    status: {},
  }
}

/** What a handler or a schema may do, which is not the fault of whoever calls. */
const applicationRow = (takes: Parameter['takes'], pass: Parameter['pass']): Parameter =>
  parameter(takes, pass, [...refusals, 'handler-failed'])

const raise = (value: unknown): never => {
  throw value as Error
}

function queryRows(pass: (query: unknown) => unknown): FunctionTable[string] {
  return {
    query: parameter(optional(isOptions), pass),
    prefix: parameter(optional(isPart), (prefix) => pass({ prefix })),
    after: parameter(optional(isPart), (after) => pass({ after })),
    limit: parameter(optional(isWhole), (limit) => pass({ limit })),
  }
}

function optionRows(pass: (options: unknown) => unknown): FunctionTable[string] {
  return {
    options: parameter(optional(isOptions), pass),
    durability: parameter(optional(isDurability), (durability) => pass({ durability })),
    operationId: parameter(optional(isName), (operationId) => pass({ operationId })),
  }
}
