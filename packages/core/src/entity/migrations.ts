import { describe } from '../describe.ts'
import { PeerplaneError, reasonOf } from '../errors.ts'
import type { Json } from '../json.ts'
import { reading } from '../plain.ts'
import { Layout } from './layout.ts'
import { takeFieldName, takeMigration, type Migration } from './migration.ts'
import { isWriterShape, StateHistory } from './state-history.ts'
import {
  checkShape,
  type DocumentShape,
  type Events,
  type EventsShape,
  type ListShape,
  type MapShape,
  type MirrorOf,
  type RecordShape,
  type RegisterShape,
  type Shape,
  type TreeShape,
  type ValueShape,
} from './shapes.ts'

declare const shape: unique symbol

/** How a converted register gets its value from the older register, and in reverse. */
export interface Conversion<Old extends Json, New extends Json> {
  /** Computes the new value from the old value. */
  up(value: Old): New
  /** Computes the old value from the new value. Several new values may have the same old value. */
  down(value: New): Old
}

/** How a state that one device writes follows from the state of the version before, and in reverse. */
export interface StateConversion<Old, OldEvents extends Events, New, NewEvents extends Events> {
  /** Computes the new state from the old state. */
  up(state: Old): New
  /** Computes the old state from the new state. `before` is the old state that it replaces, with everything that the new version does not show. */
  down(state: New, before: Old): Old
  /**
   * For events, the name and the content of the old event that is stored for a new event. An event that both versions declare, and that is missing here,
   * is stored as it is. An event that only the new version declares, and that is missing here, has no effect on devices with the old version.
   */
  readonly events?: {
    readonly [Name in keyof NewEvents]?: (event: NewEvents[Name]) => NamedEvent<OldEvents>
  }
}

type EventsIn<S> = S extends EventsShape<infer _, infer E> ? E : NoEvents
type NoEvents = { readonly [name in never]: Json }
type NamedEvent<E extends Events> = {
  readonly [Name in keyof E]: readonly [name: Name, event: E[Name]]
}[keyof E]
/** The shape of another state of the same kind. */
type WriterShapeOf<S, New extends Json, NewEvents extends Events> = S extends {
  readonly kind: 'value'
}
  ? ValueShape<New>
  : S extends { readonly kind: 'events' }
    ? EventsShape<New, NewEvents>
    : never

/**
 * The history of a declaration: the shape of its first version, and the migrations that lead from version to version. `S` is the shape after the
 * last migration. In a map, list or tree, migrations change the fields of the values; in a document, they change the members at the top. Events and values are
 * converted as a whole.
 *
 * Every method returns a new history with one more migration, and throws `invalid-declaration` if the migration does not fit the shape before it.
 */
export interface Migrations<S extends Shape = Shape> {
  readonly first: Shape
  readonly steps: readonly Migration[]
  readonly [shape]?: S
  /** Gives a field another name. Older versions of the app keep the old name. */
  rename<From extends NameIn<S>, To extends string>(
    from: From,
    to: To,
  ): Migrations<WithFields<S, Put<Without<FieldsIn<S>, From>, To, FieldsIn<S>[From]>>>
  /** Hides a field. Its content stays in the log, and older versions of the app still show and change it. */
  drop<Name extends NameIn<S>>(name: Name): Migrations<WithFields<S, Without<FieldsIn<S>, Name>>>
  /**
   * Adds a field with the shape `added`; in a document, a member with the initial value `added`. An added field needs a migration only if a later
   * migration names it, or if an earlier version had a field with this name.
   */
  add<Name extends string, Added extends (S extends DocumentShape<Tree> ? Json : Shape)>(
    name: Name,
    added: Added,
  ): Migrations<WithFields<S, Put<FieldsIn<S>, Name, Added>>>
  /**
   * Replaces the register `from` by the register `to`, whose values are computed by `conversion`. Both registers are kept: older versions of the app
   * go on to use the old register. The functions of `conversion` must be pure.
   */
  convert<From extends RegisterIn<S>, To extends string, T extends Json>(
    from: From,
    to: To,
    converted: RegisterShape<T>,
    conversion: Conversion<MirrorIn<S, From>, T>,
  ): Migrations<WithFields<S, Put<Without<FieldsIn<S>, From>, To, RegisterShape<T>>>>
  /**
   * Replaces a state that one device writes, which is declared by `value` or `events`, by `to`, which is of the same kind. Only the state and the events
   * of the first version are stored, so `down` must lose nothing: a command fails if `up` does not give back what the command has made. The functions
   * of `conversion` must be pure.
   */
  convertState<New extends Json, NewEvents extends Events>(
    to: WriterShapeOf<S, New, NewEvents>,
    conversion: StateConversion<MirrorOf<S>, EventsIn<S>, New, NewEvents>,
  ): Migrations<WriterShapeOf<S, New, NewEvents>>
  /** Migrates the fields of a record, or of the records in a map, list or tree, that is itself a field. */
  in<Name extends NestedIn<S>, Inner extends Shape>(
    name: Name,
    migrate: (part: Migrations<Extract<FieldsIn<S>[Name], Shape>>) => Migrations<Inner>,
  ): Migrations<WithFields<S, Put<FieldsIn<S>, Name, Inner>>>
}

interface Tree {
  readonly [key: string]: Json
}

/** The fields that migrations of a shape change. */
type FieldsIn<S> =
  S extends RecordShape<infer F>
    ? F
    : S extends MapShape<infer V> | ListShape<infer V> | TreeShape<infer V>
      ? FieldsIn<V>
      : S extends DocumentShape<infer T>
        ? T
        : never

/** The shape `S` with other fields. */
type WithFields<S, F> = S extends { readonly kind: 'record' }
  ? F extends { readonly [name: string]: Shape }
    ? RecordShape<F>
    : never
  : S extends MapShape<infer V>
    ? WithFields<V, F> extends infer Inner extends Shape
      ? MapShape<Inner>
      : never
    : S extends ListShape<infer V>
      ? WithFields<V, F> extends infer Inner extends Shape
        ? ListShape<Inner>
        : never
      : S extends TreeShape<infer V>
        ? WithFields<V, F> extends infer Inner extends Shape
          ? TreeShape<Inner>
          : never
        : F extends Tree
          ? DocumentShape<F>
          : never

type NameIn<S> = keyof FieldsIn<S> & string
type RegisterIn<S> = {
  [Name in NameIn<S>]: FieldsIn<S>[Name] extends { readonly kind: 'register' } ? Name : never
}[NameIn<S>]
type NestedIn<S> = {
  [Name in NameIn<S>]: FieldsIn<S>[Name] extends {
    readonly kind: 'record' | 'map' | 'list' | 'tree'
  }
    ? Name
    : never
}[NameIn<S>]
type MirrorIn<S, Name extends NameIn<S>> = MirrorOf<FieldsIn<S>[Name]> & Json
type Without<F, Name> = { readonly [N in Exclude<keyof F, Name>]: F[N] }
type Put<F, Name extends string, V> = {
  readonly [N in keyof F | Name]: N extends Name ? V : N extends keyof F ? F[N] : never
}

/**
 * Begins the history of a declaration with the shape of its first version. Throws `invalid-declaration` if `first` cannot be migrated: it must be a
 * record, a map, list or tree of records, a document, events, or a value.
 */
export function migrate<S extends Shape>(first: S): Migrations<S> {
  reading(
    () => {
      checkShape(first, 'the first version of a shape')
      if (!isWriterShape(first)) void new Layout(first)
    },
    (cause) => invalid(`the first version of a shape cannot be read: ${reasonOf(cause)}`),
  )
  return historyOf(first, []) as unknown as Migrations<S>
}

/** Reads a history that an application has declared. Throws `invalid-declaration`. */
export function takeMigrations(given: unknown): Migrations {
  const { first, steps } = (typeof given === 'object' && given !== null ? given : {}) as Partial<
    Migrations<Shape>
  >
  if (!Array.isArray(steps)) {
    throw invalid(`migrations begin with migrate(), not with ${describe(given)}`)
  }
  checkShape(first, 'the first version of a shape')
  return historyOf(first!, (steps as readonly unknown[]).map(takeMigration))
}

/** A history whose methods are not typed: the types of the fields are known only to the application. */
interface Untyped {
  readonly first: Shape
  readonly steps: readonly Migration[]
}

function historyOf(first: Shape, steps: readonly Migration[]): Migrations {
  const layout = isWriterShape(first) ? new StateHistory(first, steps) : Layout.after(first, steps)
  const next = (step: unknown): Migrations =>
    reading(
      () => historyOf(first, [...steps, takeMigration(step)]),
      (cause) => invalid(`a migration cannot be read: ${reasonOf(cause)}`),
    )
  const history = {
    first,
    steps: Object.freeze(steps),
    rename: (from: string, to: string) => next({ kind: 'rename', from, to }),
    drop: (name: string) => next({ kind: 'drop', name }),
    add: (name: string, added: unknown) =>
      next({ kind: 'add', name, shape: first.kind === 'document' ? undefined : added }),
    convert: (from: string, to: string, converted: unknown, conversion: unknown) => {
      const { up, down } = reading(
        () => ({ ...(conversion as { readonly up: unknown; readonly down: unknown }) }),
        (cause) => invalid(`a conversion cannot be read: ${reasonOf(cause)}`),
      )
      return next({ kind: 'convert', from, to, shape: converted, up, down })
    },
    convertState: (to: unknown, conversion: unknown) => {
      const {
        up,
        down,
        events = {},
      } = reading(
        () => ({ ...(conversion as { readonly [member: string]: unknown }) }),
        (cause) => invalid(`a conversion cannot be read: ${reasonOf(cause)}`),
      )
      return next({ kind: 'convert-state', shape: to, up, down, events })
    },
    in: (name: unknown, migrate: unknown) => {
      if (layout instanceof StateHistory) throw invalid(`${first.kind}() has no fields to migrate`)
      const part = historyOf(layout.shapeOf(takeFieldName(name)), [])
      const made = reading(
        () => (migrate as (part: unknown) => unknown)(part),
        (cause) => invalid(`the migrations of a field cannot be read: ${reasonOf(cause)}`),
      )
      return next({ kind: 'in', name, steps: takeMigrations(made).steps })
    },
  }
  return Object.freeze(history satisfies Untyped) as unknown as Migrations
}

const invalid = (reason: string): PeerplaneError =>
  new PeerplaneError('invalid-declaration', reason)
