import { equalData } from '../equal-data.ts'
import { describe } from '../describe.ts'
import { PeerplaneError, reasonOf } from '../errors.ts'
import type { Json } from '../json.ts'
import { limits } from '../limits.ts'
import { copyPlain } from '../plain.ts'
import type { Migration, StateMigration } from './migration.ts'
import type { EventsShape, Shape, ValueShape } from './shapes.ts'

/** What an event makes of a state. */
export type Fold = (state: Json, event: Json) => Json

/** Events as they are declared and as they are stored. */
export interface LensEvents {
  /** What each declared event makes of the declared state. */
  readonly folds: ReadonlyMap<string, Fold>
  /** What each stored event makes of the stored state. */
  readonly storedFolds: ReadonlyMap<string, Fold>
  /** The stored event of a declared event. Throws `invalid-declaration`, and whatever a conversion throws. */
  readonly store: (name: string, event: Json) => readonly [name: string, event: Json]
}

/** How an app reads and writes the stored state of an entity with a single writer. */
export interface StateLens {
  readonly kind: 'state'
  /** The declared initial state. */
  readonly initial: Json
  /** The declared form of a stored state. Throws whatever a conversion throws. */
  readonly up: (stored: Json) => Json
  /** The stored form of a declared state that replaces `stored`. Throws whatever a conversion throws. */
  readonly down: (shown: Json, stored: Json) => Json
  /** `undefined` for a value. */
  readonly events: LensEvents | undefined
  /** The migrations from which the functions are made, so that a change of them is noticed. */
  readonly steps: readonly StateMigration[]
}

/** The stored shape, and the lens between it and the declared shape. */
interface StoredState {
  readonly shape: Shape
  readonly lens: StateLens | { readonly kind: 'same' }
}

type WriterShape = ValueShape<Json> | EventsShape<Json, never>

/** Whether a state is converted as a whole, because one device writes it. */
export const isWriterShape = (shape: Shape): shape is WriterShape =>
  shape.kind === 'value' || shape.kind === 'events'

/**
 * The versions of an entity with a single writer. The log holds states and events as the first version has them, and every event that version 1 does
 * not declare as the version that has introduced it. An event that an earlier version declares is folded by the function of that version, on all
 * devices, so devices with different versions hold the same state.
 */
export class StateHistory {
  readonly #first: WriterShape
  readonly #steps: StateMigration[] = []
  /** What each stored event makes of the stored state: of the first version, and those that later versions have introduced. */
  readonly #storedFolds: Map<string, Fold>
  #last: WriterShape

  /** Throws `invalid-declaration` for migrations that do not fit. */
  constructor(first: WriterShape, steps: readonly Migration[]) {
    this.#first = first
    this.#last = first
    this.#storedFolds = foldsOf(first)
    for (const step of steps) this.#apply(step)
  }

  /** How the last version is stored, if it is declared as `declared`. Throws `invalid-declaration`. */
  store(declared: Shape, what: string): StoredState {
    const { kind } = this.#last
    if (declared.kind !== kind) {
      throw invalid(
        `${what} is declared by ${declared.kind}(), and its migrations lead to ${kind}()`,
      )
    }
    const steps = Object.freeze([...this.#steps])
    if (steps.length === 0) return { shape: declared, lens: { kind: 'same' } }
    if (!isSameShape(this.#last, declared as WriterShape)) {
      throw invalid(`${what} is not what its last migration leads to: pass the same shape to both`)
    }
    const { initial } = this.#last
    const [up, down] = [this.#up(steps), this.#down(steps)]
    const events = kind === 'events' ? this.#events(steps) : undefined
    return {
      shape: this.#storedShape(down(initial, this.#first.initial)),
      lens: { kind: 'state', initial, up, down, events, steps },
    }
  }

  #apply(step: Migration): void {
    const { kind } = this.#last
    if (step.kind !== 'convert-state') {
      throw invalid(`${kind}() has no fields to migrate: use convertState()`)
    }
    if (step.shape.kind !== kind) {
      throw invalid(`${kind}() is converted to ${kind}(), not to ${step.shape.kind}()`)
    }
    const before = foldsOf(this.#last)
    const steps = [...this.#steps, step]
    this.#checkInitial(steps)
    this.#addFolds(before, steps)
    this.#steps.push(step)
    this.#last = step.shape
  }

  /** The initial state must come back from the stored form. */
  #checkInitial(steps: readonly StateMigration[]): void {
    const { initial } = steps.at(-1)!.shape
    const [up, down] = [this.#up(steps), this.#down(steps)]
    const bounds = { depth: limits.valueDepth, size: limits.inputSize }
    const copy = (made: Json): Json =>
      copyPlain(made, 'the converted initial state', bounds, 'invalid-declaration')
    let [stored, again, shown]: Json[] = []
    try {
      stored = copy(down(initial, this.#first.initial))
      again = copy(down(initial, this.#first.initial))
      shown = copy(up(stored))
    } catch (cause) {
      throw invalid(`the conversion of a state fails for the initial state: ${reasonOf(cause)}`)
    }
    if (!equalData(stored, again)) {
      throw invalid('the conversion of a state gives two results for one state')
    }
    if (!equalData(shown, initial)) {
      throw invalid('the conversion of a state loses the initial state: up(down(state)) differs')
    }
  }

  /** Adds the folds of events that the last of `steps` introduces. */
  #addFolds(before: ReadonlyMap<string, Fold>, steps: readonly StateMigration[]): void {
    const { shape, events } = steps.at(-1)!
    const folds = foldsOf(shape)
    const unknown = Object.keys(events).find((name) => !folds.has(name))
    if (unknown !== undefined) {
      throw invalid(`a migration converts ${describe(unknown)}, which is no event of its version`)
    }
    const [up, down] = [this.#up(steps), this.#down(steps)]
    for (const [name, fold] of folds) {
      if (Object.hasOwn(events, name) || before.has(name)) continue
      if (this.#storedFolds.has(name)) {
        throw invalid(
          `an earlier version has an event ${describe(name)}: use another name, or convert it`,
        )
      }
      this.#storedFolds.set(name, (state, event) => down(fold(up(state), event), state))
    }
  }

  #events(steps: readonly StateMigration[]): LensEvents {
    const versions = [this.#first, ...steps.map(({ shape }) => shape)].map(foldsOf)
    return {
      folds: versions.at(-1)!,
      storedFolds: new Map(this.#storedFolds),
      store: (name, event) => {
        let stored: readonly [string, Json] = [name, event]
        for (let i = steps.length - 1; i >= 0; i--) {
          const { events } = steps[i]!
          const [given, value] = stored
          if (Object.hasOwn(events, given)) {
            stored = takeEvent(events[given]!(value), given, versions[i]!)
          }
          // If the version before does not have it, this version has introduced it.
          else if (!versions[i]!.has(given)) break
        }
        return stored
      },
    }
  }

  #storedShape(initial: Json): Shape {
    const { kind } = this.#first
    if (kind === 'value') return Object.freeze({ kind, initial })
    return Object.freeze({
      kind,
      initial,
      fold: Object.freeze(Object.fromEntries(this.#storedFolds)),
    })
  }

  #up(steps: readonly StateMigration[]): StateLens['up'] {
    return (stored) => steps.reduce((state, { up }) => up(state), stored)
  }

  #down(steps: readonly StateMigration[]): StateLens['down'] {
    const { initial } = this.#first
    return (shown, stored) => {
      let forms: readonly Json[]
      try {
        forms = formsOf(stored, steps)
      } catch {
        // Ignored: whatever stands there is no state of any version, and is replaced.
        forms = formsOf(initial, steps)
      }
      return steps.reduceRight((state, { down }, i) => down(state, forms[i]!), shown)
    }
  }
}

/** A stored state as each version has it. */
function formsOf(stored: Json, steps: readonly StateMigration[]): readonly Json[] {
  const forms = [stored]
  for (const { up } of steps) forms.push(up(forms.at(-1)!))
  return forms
}

const foldsOf = (shape: WriterShape): Map<string, Fold> =>
  new Map(shape.kind === 'events' ? (Object.entries(shape.fold) as [string, Fold][]) : [])

function isSameShape(one: WriterShape, other: WriterShape): boolean {
  const [folds, others] = [foldsOf(one), foldsOf(other)]
  return (
    equalData(one.initial, other.initial) &&
    folds.size === others.size &&
    [...folds].every(([name, fold]) => others.get(name) === fold)
  )
}

function takeEvent(
  given: unknown,
  name: string,
  folds: ReadonlyMap<string, Fold>,
): readonly [string, Json] {
  if (Array.isArray(given) && given.length === 2 && folds.has(given[0] as string)) {
    return given as unknown as readonly [string, Json]
  }
  const reason = `the event ${describe(name)} is converted to [name, event] of the version before, not to ${describe(given)}`
  throw invalid(reason)
}

const invalid = (reason: string): PeerplaneError =>
  new PeerplaneError('invalid-declaration', reason)
