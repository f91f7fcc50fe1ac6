import type { Json } from '@peerplane/core'
import {
  isData,
  isFunction,
  isName,
  isOptions,
  isUndefined,
  type FunctionTable,
} from '@peerplane/core/testing'

import type { Plane } from '../plane/plane.ts'
import {
  applicationRow,
  isDurability,
  isHours,
  isPart,
  isTimeout,
  isVersion,
  isWhole,
  never,
  optional,
  parameter,
  raise,
  refusals,
} from './parameters.ts'
import { application, Thing } from './things.ts'

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
      ...waitRows((wait) => plane().list(Thing, {}, wait)),
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
    outcome: {
      operationId: parameter(isName, (value) => plane().outcome(value)),
      ...waitRows((wait) => plane().outcome('a', wait)),
    },
    status: {},
    onStatus: { listener: parameter(isFunction, (value) => ended(plane().onStatus(value))) },
    invite: {
      options: parameter(optional(isOptions), (value) => plane().invite(value)),
      hours: parameter(optional(isHours), (hours) => plane().invite({ hours })),
      trustClock: parameter(
        optional((value) => typeof value === 'boolean'),
        (trustClock) => plane().invite({ trustClock }),
      ),
      anchor: parameter(
        optional((value) => typeof value === 'boolean'),
        (anchor) => plane().invite({ anchor }),
      ),
      ...waitRows((wait) => plane().invite(wait)),
    },
    goOffline: waitRows((wait) => plane().goOffline(wait)),
    goOnline: waitRows((wait) => plane().goOnline(wait)),
    // A plane that is closed cannot be tried any further.
    close: {
      options: parameter(never, (value) =>
        plane().close(value === undefined || isOptions(value) ? 1 : value),
      ),
    },
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
    state: waitRows((wait) => client().state(wait)),
    peek: {},
    watch: {
      listener: parameter(isFunction, (value) => (client().watch(value) as () => void)()),
    },
  }
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
    ...waitRows((wait) => pass(wait)),
  }
}

function waitRows(pass: (wait: unknown) => unknown): FunctionTable[string] {
  return {
    wait: parameter(optional(isOptions), pass),
    signal: parameter(isUndefined, (signal) => pass({ signal })),
    timeoutMs: parameter(optional(isTimeout), (timeoutMs) =>
      // Long enough: what a call has done that nobody waits for any longer is tried elsewhere.
      pass({ timeoutMs: isTimeout(timeoutMs) ? Number(timeoutMs) + 60_000 : timeoutMs }),
    ),
  }
}
