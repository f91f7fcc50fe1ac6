import { describe } from '../describe.ts'
import { PeerplaneError } from '../errors.ts'
import type { Json } from '../json.ts'
import { limits } from '../limits.ts'
import { isPlain } from '../plain.ts'
import {
  checkShape,
  type EventsShape,
  type RegisterShape,
  type Shape,
  type ValueShape,
} from './shapes.ts'

/** One migration, as data: it leads from one version of a declaration to the next. */
export type Migration =
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'drop'; readonly name: string }
  | { readonly kind: 'add'; readonly name: string; readonly shape: Shape | undefined }
  | {
      readonly kind: 'convert'
      readonly from: string
      readonly to: string
      readonly shape: RegisterShape<Json>
      readonly up: (value: Json) => Json
      readonly down: (value: Json) => Json
    }
  | { readonly kind: 'in'; readonly name: string; readonly steps: readonly Migration[] }
  | StateMigration

/** The migration of a state that one device writes. */
export interface StateMigration {
  readonly kind: 'convert-state'
  /** The state in the later version. */
  readonly shape: ValueShape<Json> | EventsShape<Json, never>
  readonly up: (state: Json) => Json
  readonly down: (state: Json, before: Json) => Json
  /** For events of the later version, the event of the earlier version. */
  readonly events: { readonly [name: string]: (event: Json) => unknown }
}

/** Copies a migration. Throws `invalid-declaration`. */
export function takeMigration(step: unknown): Migration {
  if (typeof step !== 'object' || step === null || !isPlain(step)) {
    throw invalid(`a migration is made by a method of migrate(), not ${describe(step)}`)
  }
  const given = step as { readonly [member: string]: unknown }
  const name = (member: string): string => takeFieldName(given[member])
  switch (given['kind']) {
    case 'rename':
      return { kind: 'rename', from: name('from'), to: name('to') }
    case 'drop':
      return { kind: 'drop', name: name('name') }
    case 'add': {
      const added = given['shape']
      if (added !== undefined) checkShape(added, `field "${name('name')}"`, 1)
      return { kind: 'add', name: name('name'), shape: added as Shape | undefined }
    }
    case 'convert': {
      const { shape: converted, up, down } = given
      checkShape(converted, `field "${name('to')}"`, 1)
      if ((converted as Shape).kind !== 'register') {
        throw invalid(
          `field "${name('to')}" is converted to a register, not to ${describe(converted)}`,
        )
      }
      return {
        kind: 'convert',
        from: name('from'),
        to: name('to'),
        shape: converted as RegisterShape<Json>,
        up: takeFunction(up, 'up'),
        down: takeFunction(down, 'down'),
      }
    }
    case 'in': {
      const steps = given['steps']
      if (!Array.isArray(steps)) throw invalid('in() has no list of migrations')
      return { kind: 'in', name: name('name'), steps: steps.map(takeMigration) }
    }
    case 'convert-state':
      return takeStateMigration(given)
    default:
      throw invalid(`there is no migration ${describe(given['kind'])}`)
  }
}

/** The name of a field in a migration. Throws `invalid-declaration`. */
export function takeFieldName(name: unknown): string {
  const isName =
    typeof name === 'string' && name.isWellFormed() && name.length <= limits.entityNameBytes
  if (isName) return name
  throw invalid(`a migration names fields by texts, not by ${describe(name)}`)
}

function takeStateMigration(given: { readonly [member: string]: unknown }): StateMigration {
  const { shape, up, down, events } = given
  checkShape(shape, 'the converted state')
  const { kind } = shape as Shape
  if (kind !== 'value' && kind !== 'events') {
    throw invalid(`a state is converted to a value or to events, not to ${describe(kind)}`)
  }
  if (typeof events !== 'object' || events === null || !isPlain(events)) {
    throw invalid(`the conversions of events are an object of functions, not ${describe(events)}`)
  }
  const conversions = Object.entries(events as { readonly [name: string]: unknown })
  return {
    kind: 'convert-state',
    shape: shape as StateMigration['shape'],
    up: takeFunction(up, 'up'),
    down: takeFunction(down, 'down'),
    events: Object.freeze(
      Object.fromEntries(conversions.map(([name, convert]) => [name, takeFunction(convert, name)])),
    ),
  }
}

function takeFunction(given: unknown, what: string): (...values: Json[]) => Json {
  if (typeof given === 'function') return given as (...values: Json[]) => Json
  throw invalid(`"${what}" of a conversion is a function, not ${describe(given)}`)
}

const invalid = (reason: string): PeerplaneError =>
  new PeerplaneError('invalid-declaration', reason)
