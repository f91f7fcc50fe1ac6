import { limits } from '../limits.ts'
import { isA, type PeerplaneError } from '../errors.ts'
import type * as core from '../index.ts'
import { either, isData, isFunction, isOptions, isUndefined } from './any-argument.ts'
import type { FunctionTable, Parameter } from './table.ts'

/** What applications declare with, as a package passes it on to them. */
type Declaring = Pick<
  typeof core,
  | 'command'
  | 'counter'
  | 'countVotes'
  | 'document'
  | 'entity'
  | 'events'
  | 'fromBytesValue'
  | 'list'
  | 'flag'
  | 'growOnlyCounter'
  | 'growOnlySet'
  | 'map'
  | 'migrate'
  | 'multiValueRegister'
  | 'PeerplaneError'
  | 'record'
  | 'register'
  | 'Rejected'
  | 'set'
  | 'toBytesValue'
  | 'text'
  | 'tree'
  | 'value'
  | 'vote'
>

const isExpiry = (value: unknown): boolean =>
  value === undefined || (Number.isSafeInteger(value) && Number(value) >= limits.expiryLeastMs)

const expiring = (state: unknown, expiresAfterMs: unknown): object => ({
  state,
  expiresAfterMs,
  commands: {},
})

/** The rows of the functions with which entities are declared. */
export function declarationTable(exports: Declaring): FunctionTable {
  const { command, document, entity, list, map, migrate, record, register, tree } =
    exports as unknown as {
      readonly [name: string]: (...args: unknown[]) => unknown
    }
  const schema = { '~standard': { version: 1, vendor: 'table', validate: () => ({ value: 1 }) } }
  const state = exports.counter()
  const ignore = (): void => undefined
  return {
    counter: {},
    set: {},
    register: {
      initial: row(isData, (value) => register!(value)),
      options: row(either(isUndefined, isOptions), (value) => register!(1, value)),
      clock: row(isUndefined, (clock) => register!(1, { clock })),
    },
    ...smallRows(exports),
    document: { initial: row(isRecord, (initial) => document!(initial)) },
    ...singleWriterRows(exports),
    list: { item: row(never, (value) => list!(value)) },
    map: { value: row(never, (value) => map!(value)) },
    tree: { node: row(never, (value) => tree!(value)) },
    record: {
      fields: row(
        (value) => isRecord(value) && isEmpty(value),
        (value) => record!(value),
      ),
      field: row(never, (value) => record!({ field: value })),
      kind: row(never, (kind) => record!({ field: { kind } })),
      name: keyRow(isText, (name) => record!({ [name]: state })),
    },
    migrate: {
      first: row(never, (value) => migrate!(value)),
      ...migrationRows(exports),
    },
    entity: {
      type: row(
        (value) => value === 'a',
        (value) => entity!(value, { state, commands: {} }),
      ),
      declaration: row(never, (value) => entity!('thing', value)),
      state: row(never, (value) => entity!('thing', { state: value, commands: {} })),
      commands: row(
        (value) => holdsFunctions(value) && !Array.isArray(value),
        (commands) => entity!('thing', { state, commands }),
      ),
      version: row(
        (value) => value === undefined || value === 1,
        (version) => entity!('thing', { state, version, commands: {} }),
      ),
      migrations: row(
        (value) => value === undefined,
        (migrations) => entity!('thing', { state, migrations, commands: {} }),
      ),
      expiresAfterMs: row(isExpiry, (ms) => entity!('thing', expiring(state, ms))),
      command: row(isFunction, (run) => entity!('thing', { state, commands: { run } })),
      'name of a command': keyRow(
        (name) => name !== '' && isText(name),
        (name) => entity!('thing', { state, commands: { [name]: ignore } }),
      ),
    },
    command: {
      schema: row(never, (value) => command!(value, ignore)),
      standard: row(never, (value) => command!({ '~standard': value }, ignore)),
      validate: row(isFunction, (validate) => command!({ '~standard': { validate } }, ignore)),
      handler: row(isFunction, (value) => command!(schema, value)),
    },
    ...errorRows(exports),
  }
}

/** The rows of the errors that applications make. */
function errorRows(exports: Declaring): FunctionTable {
  return {
    PeerplaneError: {
      code: row(never, (value) => make(exports.PeerplaneError, value, 'reason'), ['invalid-input']),
      // A refusal must not fail because its options cannot be read.
      reason: row(anything, (value) => make(exports.PeerplaneError, 'closed', value)),
      options: row(anything, (value) => make(exports.PeerplaneError, 'closed', 'reason', value)),
      advice: row(anything, (advice) =>
        make(exports.PeerplaneError, 'closed', 'reason', { advice }),
      ),
    },
    Rejected: {
      rejection: row(anything, (value) => make(exports.Rejected, value, 'reason')),
      reason: row(anything, (value) => make(exports.Rejected, 'no', value)),
    },
  }
}

/** The arguments of the methods that add a migration. */
function migrationRows(exports: Declaring): { readonly [parameter: string]: Parameter } {
  const history = exports.migrate(
    exports.record({ a: exports.register(0), in: exports.record({}) }),
  ) as unknown as { readonly [method: string]: (...args: unknown[]) => unknown }
  const pass =
    (method: string, ...args: readonly unknown[]) =>
    (value: unknown): unknown =>
      history[method]!(...args.map((arg) => (arg === GIVEN ? value : arg)))
  const same = { up: (value: unknown) => value, down: (value: unknown) => value }
  const register = exports.register(0)
  const isNew = (value: unknown): boolean =>
    typeof value === 'string' && isText(value) && value !== 'a' && value !== 'in'
  return {
    'rename from': row((value) => value === 'a', pass('rename', GIVEN, 'b')),
    'rename to': row((value) => value === 'a' || isNew(value), pass('rename', 'a', GIVEN)),
    drop: row((value) => value === 'a' || value === 'in', pass('drop', GIVEN)),
    'add name': row(isNew, pass('add', GIVEN, register)),
    'add shape': row(never, pass('add', 'b', GIVEN)),
    'convert from': row((value) => value === 'a', pass('convert', GIVEN, 'b', register, same)),
    'convert to': row(
      (value) => value === 'a' || isNew(value),
      pass('convert', 'a', GIVEN, register, same),
    ),
    'convert shape': row(never, pass('convert', 'a', 'b', GIVEN, same)),
    conversion: row(never, pass('convert', 'a', 'b', register, GIVEN)),
    'in name': row(
      (value) => value === 'in',
      pass('in', GIVEN, (part: unknown) => part),
    ),
    'in function': row(never, pass('in', 'in', GIVEN)),
    ...stateMigrationRows(exports),
  }
}

/** The arguments of the method that converts what one device writes. */
function stateMigrationRows(exports: Declaring): { readonly [parameter: string]: Parameter } {
  const [shape, counted] = [exports.value(0), exports.events(0, {})]
  const convert = (first: unknown, to: unknown, conversion: unknown): unknown => {
    const history = (exports.migrate as (first: unknown) => unknown)(first)
    const methods = history as { readonly [method: string]: (...args: unknown[]) => unknown }
    return methods['convertState']!(to, conversion)
  }
  const same = { up: (value: unknown) => value, down: (value: unknown) => value }
  return {
    'convertState shape': row(never, (value) => convert(shape, value, same)),
    'convertState conversion': row(never, (value) => convert(shape, shape, value)),
    'convertState events': row(
      (value) => value === undefined || (holdsFunctions(value) && isEmpty(value)),
      (value) => convert(counted, counted, { ...same, events: value }),
    ),
  }
}

const GIVEN = Symbol('the argument that a row passes')

/** Rows of the states that one device writes. */
function singleWriterRows(exports: Declaring): FunctionTable {
  const { events, value } = exports as unknown as {
    readonly [name: string]: (...args: unknown[]) => unknown
  }
  return {
    value: { initial: row(isData, (initial) => value!(initial)) },
    events: {
      initial: row(isData, (initial) => events!(initial, {})),
      fold: row(
        (fold) => holdsFunctions(fold) && !Array.isArray(fold),
        (fold) => events!(0, fold),
      ),
      function: row(isFunction, (apply) => events!(0, { happened: apply })),
      'name of an event': keyRow(
        (name) => name !== '' && isText(name),
        (name) => events!(0, { [name]: (): number => 0 }),
      ),
    },
  }
}

/** The rows of the small kinds of state. */
function smallRows(exports: Declaring): FunctionTable {
  const { countVotes, flag, fromBytesValue, multiValueRegister, toBytesValue } =
    exports as unknown as {
      readonly [name: string]: (...args: unknown[]) => unknown
    }
  return {
    growOnlyCounter: {},
    growOnlySet: {},
    text: {},
    vote: {},
    flag: {
      options: row(either(isUndefined, isOptions), (value) => flag!(value)),
      wins: row(isUndefined, (wins) => flag!({ wins })),
    },
    multiValueRegister: { initial: row(isData, (value) => multiValueRegister!(value)) },
    toBytesValue: {
      bytes: row(
        (value) => isA(Uint8Array, value),
        (value) => toBytesValue!(value),
        ['invalid-input'],
      ),
    },
    fromBytesValue: {
      value: row(never, (value) => fromBytesValue!(value), ['invalid-input']),
    },
    countVotes: {
      votes: row(isOptions, (votes) => countVotes!(votes), ['invalid-input']),
      devices: row(
        (value) => isUndefined(value) || (isData(value) && Array.isArray(value)) || undefined,
        (devices) => countVotes!({}, devices),
        ['invalid-input'],
      ),
    },
  }
}

const row = (
  takes: Parameter['takes'],
  pass: Parameter['pass'],
  codes: readonly string[] = ['invalid-declaration', 'too-large'],
): Parameter => ({ takes, pass, codes })

const make = (kind: unknown, ...args: unknown[]): PeerplaneError =>
  Reflect.construct(kind as new () => PeerplaneError, args)

const never = (): boolean => false
const anything = (): boolean => true
const isRecord = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && isData(value) && !Array.isArray(value)
const isEmpty = (value: unknown): boolean => Object.keys(value as object).length === 0
/** Whether it is plain, and all its members are functions. */
function holdsFunctions(value: unknown): boolean {
  try {
    const isPlain = isRecord(value) || Object.getPrototypeOf(value) === Object.prototype
    return isPlain && Object.values(value as object).every(isFunction)
  } catch {
    return false
  }
}
const isText = (value: string): boolean =>
  value.isWellFormed() && value.length <= limits.entityNameBytes

/** JavaScript makes keys of texts only. */
const keyRow = (takes: (key: string) => boolean, pass: (key: string) => unknown): Parameter =>
  row(
    (value) => typeof value !== 'string' || takes(value),
    (value) => (typeof value === 'string' ? pass(value) : undefined),
  )
