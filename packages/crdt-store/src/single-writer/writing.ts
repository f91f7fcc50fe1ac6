import {
  describe,
  equalData,
  limits,
  PeerplaneError,
  reasonOf,
  type EventsShape,
  type Json,
  type ValueShape,
} from '@peerplane/core'

import { copyJson } from '../kernels/values.ts'
import type { NamedEvent, WriterBody } from './body.ts'
import { SettledValues } from './settled-values.ts'
import { nextNumber } from './strands.ts'

/** What the body of a session adds to the value that stands before it. */
interface Added {
  readonly value: Json
  /** How many events it has. */
  readonly count: number
  /** Why some of them have no effect on this device. */
  readonly skipped: string | undefined
}

/** What a command has written. */
export interface Written {
  readonly value: Json
  readonly events: readonly NamedEvent[]
}

/** One of the kinds of state with a single writer: what its bodies mean and how a handler writes. */
export interface WriterKind {
  readonly initial: Json
  readonly values: SettledValues
  /** What `body` makes of `before`; `undefined` for a body of another kind. */
  add(before: Json, body: WriterBody): Added | undefined
  /** What one command writes on top of `before`. */
  write(before: () => Json): Pen
  /** The body for what was written after other changes of the same session. */
  continued(written: Written): WriterBody
  /** What the body for the first changes of a session says. */
  begun(
    base: Based,
    written: Written | undefined,
  ): Based & { readonly events: readonly NamedEvent[] }
}

/** A value, and the number of the event that made it. */
export interface Based {
  readonly value: Json
  readonly number: number
}

/** How one command writes. */
export interface Pen {
  readonly value: Json
  /** What a handler calls to write; `ready` is called before anything is written. */
  members(ready: () => void): object
  /** How many events were written. */
  readonly count: number
  /** What was written; `undefined` for nothing. */
  written(): Written | undefined
}

/** A state that is set as a whole. */
export function valueKind({ initial }: ValueShape<Json>): WriterKind {
  const values = new SettledValues()
  return {
    initial: values.take(copyJson(initial)),
    values,
    add: (before, body) => {
      if (body.form === 'value') return { value: body.value, count: 1, skipped: undefined }
      if (body.form === 'events') return undefined
      const skipped = body.events.length > 0 ? OTHER_EVENTS : undefined
      return { value: before, count: body.events.length, skipped }
    },
    write: (before) => {
      let set: Json | undefined
      const isChanged = (): boolean => set !== undefined && !equalData(set, before())
      return {
        get value() {
          return set === undefined ? before() : set
        },
        get count() {
          return isChanged() ? 1 : 0
        },
        members: (ready) => ({
          set: (value: unknown) => {
            const copy = copyJson(value)
            if (!isChanged() && equalData(copy, before())) return
            ready()
            set = copy
          },
        }),
        written: () => (isChanged() ? { value: set!, events: [] } : undefined),
      }
    },
    continued: ({ value }) => ({ form: 'value', value }),
    begun: ({ value, number }, written) =>
      written
        ? { value: written.value, number: nextNumber(number, 1), events: [] }
        : { value, number, events: [] },
  }
}

/** A state that is folded from events. */
export function eventsKind({ initial, fold }: EventsShape<Json, never>): WriterKind {
  const folds: Folds = new Map(
    Object.entries(fold as { readonly [name: string]: unknown }) as [string, Fold][],
  )
  const values = new SettledValues()
  return {
    initial: values.take(copyJson(initial)),
    values,
    add: (before, body) =>
      body.form === 'value' ? undefined : foldAll(folds, values, before, body.events),
    write: (before) => new EventPen(folds, values, before),
    continued: ({ events }) => ({ form: 'events', events }),
    begun: ({ value, number }, written) => ({ value, number, events: written?.events ?? [] }),
  }
}

type Fold = (state: Json, event: Json) => Json
type Folds = ReadonlyMap<string, Fold>

const OTHER_EVENTS = 'it was written as events and is declared as a value'

class EventPen implements Pen {
  readonly #folds: Folds
  readonly #settled: SettledValues
  readonly #before: () => Json
  readonly #events: NamedEvent[] = []
  /** As the functions of the app made it: other devices fold the events of one body in the same way. */
  #made: Json = null
  #shown: Json | undefined
  /** A function that has thrown may have left half a change in what it got, so nothing may come of this command. */
  #hasFailed = false

  constructor(folds: Folds, settled: SettledValues, before: () => Json) {
    this.#folds = folds
    this.#settled = settled
    this.#before = before
  }

  get value(): Json {
    if (this.#events.length === 0) return this.#before()
    return (this.#shown ??= resultOf(this.#made, this.#settled))
  }

  get count(): number {
    return this.#events.length
  }

  members(ready: () => void): object {
    return {
      emit: (name: unknown, event: unknown = null) => {
        const apply = typeof name === 'string' ? this.#folds.get(name) : undefined
        if (!apply) {
          throw new PeerplaneError('invalid-input', `no event is declared as ${describe(name)}`)
        }
        const copy = copyJson(event)
        ready()
        this.#emit(name as string, copy, apply)
      },
    }
  }

  written(): Written | undefined {
    if (this.#hasFailed) {
      throw new PeerplaneError('handler-failed', 'a function that folds events has thrown')
    }
    return this.count > 0 ? { value: this.value, events: this.#events } : undefined
  }

  #emit(name: string, event: Json, apply: Fold): void {
    if (this.count >= limits.eventsPerSection) {
      const reason = `a command adds more than ${limits.eventsPerSection} events`
      throw new PeerplaneError('too-large', reason)
    }
    try {
      this.#made = apply(this.count === 0 ? this.#before() : this.#made, event)
    } catch (error) {
      this.#hasFailed = true
      throw error
    }
    this.#events.push([name, event])
    this.#shown = undefined
  }
}

/** Folds the events of one body. What an app cannot fold has no effect; an app that throws harms only its own state. */
function foldAll(
  folds: Folds,
  settled: SettledValues,
  before: Json,
  events: readonly NamedEvent[],
): Added {
  let skipped: string | undefined
  let made = before
  for (const [name, event] of events) {
    const apply = folds.get(name)
    if (!apply) skipped ??= `it has an event ${describe(name)} that is not declared`
    else {
      try {
        made = apply(made, event)
      } catch (error) {
        // Ignored: the state says that it is incomplete, and why.
        skipped ??= `the fold of event ${describe(name)} failed: ${reasonOf(error)}`
      }
    }
  }
  const count = events.length
  if (made === before) return { value: before, count, skipped }
  try {
    return { value: resultOf(made, settled), count, skipped }
  } catch (error) {
    // Ignored: the state says that it is incomplete, and why.
    return { value: before, count, skipped: skipped ?? reasonOf(error) }
  }
}

/** What the functions of an app have made, as a state. Throws `handler-failed` for anything but JSON, and `too-large`. */
function resultOf(made: Json, settled: SettledValues): Json {
  try {
    return settled.take(made)
  } catch (cause) {
    if (cause instanceof PeerplaneError && cause.code === 'too-large') throw cause
    const reason = `a function that folds events returned what is not JSON: ${reasonOf(cause)}`
    throw new PeerplaneError('handler-failed', reason, { cause })
  }
}
