import type { Json, ShapeKind } from '@peerplane/core'
import {
  counter,
  document,
  entity,
  events,
  list,
  tree,
  map,
  record,
  register,
  set,
  value,
  flag,
  growOnlyCounter,
  growOnlySet,
  text,
  multiValueRegister,
  vote,
  type Entity,
} from '@peerplane/node'

/** What honest members write, and read from each other. */
export const Pulse = entity('pulse', {
  state: record({ number: register<number>(0) }),
  commands: { beat: (pulse, number: number) => pulse.number.set(number) },
})

/** The one entity that they write. */
export const HEART = 'heart'

/** One entity type for each kernel; nobody honest writes them, all honest members show them. */
export const kinds = {
  counter: entity('counter', { state: counter(), commands: {} }),
  'grow-only-counter': entity('grow-only-counter', { state: growOnlyCounter(), commands: {} }),
  register: entity('register', { state: register<string>(''), commands: {} }),
  'multi-value-register': entity('multi-value-register', {
    state: multiValueRegister<string>(''),
    commands: {},
  }),
  flag: entity('flag', { state: flag(), commands: {} }),
  vote: entity('vote', { state: vote(), commands: {} }),
  set: entity('set', { state: set<string>(), commands: {} }),
  'grow-only-set': entity('grow-only-set', { state: growOnlySet<string>(), commands: {} }),
  text: entity('text', { state: text(), commands: {} }),
  map: entity('map', { state: map(register<string>('')), commands: {} }),
  list: entity('list', { state: list(register<string>('')), commands: {} }),
  tree: entity('tree', { state: tree(register<string>('')), commands: {} }),
  record: entity('record', { state: record({ a: register(''), b: counter() }), commands: {} }),
  document: entity('document', { state: document({ text: '' }), commands: {} }),
  events: entity('events', {
    state: events([0], { added: (sums, by: number) => [...sums.slice(-999), by] }),
    commands: {},
  }),
  value: entity('value', { state: value<Json>(null), commands: {} }),
} as const satisfies Record<ShapeKind, Entity>

/** The one entity of each kind that is attacked, and that honest members watch. */
export const VICTIM = 'victim'
