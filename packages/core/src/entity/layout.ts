import { equalData } from '../equal-data.ts'
import { PeerplaneError, reasonOf } from '../errors.ts'
import type { Json } from '../json.ts'
import { limits } from '../limits.ts'
import { copyPlain } from '../plain.ts'
import type { Migration } from './migration.ts'
import type { StateLens } from './state-history.ts'
import {
  document,
  documentMethods,
  multiValueRegister,
  record,
  type DocumentShape,
  type RecordShape,
  type RegisterClock,
  type RegisterShape,
  type Shape,
  type ShapeKind,
} from './shapes.ts'

/** How an app reads and writes the stored shape of an entity: as data, in which functions only compute values. */
export type Lens =
  | { readonly kind: 'same' }
  /** Every part of a map, list or tree is seen through the lens `part`. */
  | { readonly kind: 'parts'; readonly part: Lens }
  | { readonly kind: 'record'; readonly fields: readonly LensField[] }
  /** The stored name of each member that is stored under another name; a dropped member is stored there if an app adds it once more. */
  | {
      readonly kind: 'document'
      readonly names: readonly (readonly [name: string, stored: string])[]
    }
  | StateLens

/** A field of a record as an app shows it. */
export interface LensField extends StoredField {
  readonly name: string
}

/** Where the value of a field is stored. */
export interface StoredField {
  readonly stored: string
  readonly lens: Lens
  /**
   * For a converted register, which is stored as a multi-value register: the older register, and how the value of one follows from the value of the
   * other.
   */
  readonly converted: ConvertedFrom<StoredField> | undefined
}

interface ConvertedFrom<Field> {
  readonly old: Field
  readonly up: (value: Json) => Json
  readonly down: (value: Json) => Json
}

/** A field in the course of its history. */
interface Field {
  readonly stored: string
  /** The shape in the version that introduced the field; `undefined` in a document. */
  readonly shape: Shape | undefined
  /** The fields inside, once a migration has changed them. */
  layout: Layout | undefined
  readonly converted: ConvertedFrom<Field> | undefined
}

/** The stored shape of an entity, and the lens between it and the declared shape. */
export interface StoredShape {
  readonly shape: Shape
  readonly lens: Lens
}

/**
 * The fields of one version of a shape, and where each of them is stored.
 *
 * A field is stored under the name that it had in the first version with this field. If an earlier version had another field of this name, which
 * version _n_ has renamed, dropped or converted, the name `~n` is appended. So the stored name depends only on the history up to this version, and
 * every later version stores the field in the same place.
 */
export class Layout {
  readonly #fields = new Map<string, Field>()
  /** Names whose field was renamed, dropped or converted, and the version that did so last. */
  readonly #freed = new Map<string, number>()
  readonly #stored = new Set<string>()
  readonly #isDocument: boolean

  /** Throws `invalid-declaration` for a shape without fields. */
  constructor(shape: Shape) {
    const inner = innermost(shape)
    this.#isDocument = inner.kind === 'document'
    if (inner.kind === 'record') {
      const { fields } = inner as RecordShape<{ readonly [name: string]: Shape }>
      for (const [name, field] of Object.entries(fields)) this.#put(name, field)
    } else if (inner.kind === 'document') {
      for (const name of Object.keys(initialOf(inner))) this.#put(name, undefined)
    } else throw invalid(`a ${inner.kind} has no fields to migrate`)
  }

  /** The fields after `steps`. Throws `invalid-declaration`. */
  static after(first: Shape, steps: readonly Migration[]): Layout {
    const layout = new Layout(first)
    for (const [i, step] of steps.entries()) layout.#apply(step, i + 2)
    return layout
  }

  /** The shape of a field in this version. Throws `invalid-declaration`. */
  shapeOf(name: string): Shape {
    const { shape, layout } = this.#get(name)
    if (!shape) throw invalid(`"${name}" is a member of a document, which has no fields`)
    return layout ? layout.#within(shape) : shape
  }

  /** How this version is stored, if it is declared as `declared`. Throws `invalid-declaration`. */
  static store(
    first: Shape,
    layout: Layout | undefined,
    declared: Shape,
    what: string,
  ): StoredShape {
    if (first.kind !== declared.kind) {
      throw invalid(
        `${what} is declared as a ${declared.kind}, and its migrations lead to a ${first.kind}`,
      )
    }
    const [part, declaredPart] = [partOf(first), partOf(declared)]
    if (part && declaredPart) {
      const { shape, lens } = Layout.store(part, layout, declaredPart, `${what}, a part`)
      const isSame = lens.kind === 'same'
      return {
        shape: withPart(declared, shape),
        lens: isSame ? same : { kind: 'parts', part: lens },
      }
    }
    switch (first.kind) {
      case 'record':
        return (layout ?? new Layout(first)).#storeRecord(declared as RecordShape<never>, what)
      case 'document':
        return layout!.#storeDocument(declared as DocumentShape<never>, what)
      default:
        return { shape: declared, lens: same }
    }
  }

  #apply(step: Migration, version: number): void {
    switch (step.kind) {
      case 'rename':
        this.#free(step.from, version, (field) => this.#set(step.to, field))
        return
      case 'drop':
        this.#free(step.name, version, () => undefined)
        return
      case 'add':
        if (this.#isDocument !== (step.shape === undefined)) {
          throw invalid(`"${step.name}" is added without a shape, or with a shape to a document`)
        }
        this.#put(step.name, step.shape)
        return
      case 'convert':
        this.#free(step.from, version, (old) => this.#convert(step, old))
        return
      case 'convert-state':
        throw invalid('convertState() converts values and events: convert() converts a field')
      default: {
        const field = this.#get(step.name)
        if (!field.shape)
          throw invalid(`"${step.name}" is a member of a document, which has no fields`)
        field.layout ??= new Layout(field.shape)
        for (const inner of step.steps) field.layout.#apply(inner, version)
      }
    }
  }

  #convert(step: Migration & { readonly kind: 'convert' }, old: Field): void {
    const { from, to, shape, up, down } = step
    if (old.shape?.kind !== 'register')
      throw invalid(`"${from}" is not a register: only registers are converted`)
    const { initial, clock } = old.shape as RegisterShape<Json, RegisterClock>
    for (const each of [clock, (shape as RegisterShape<Json, RegisterClock>).clock]) {
      if (each === undefined || each === 'default') continue
      throw invalid(
        `"${from}" cannot be converted: no register with the clock "${each}" is converted`,
      )
    }
    checkConversion(up, initial, `"${from}" to "${to}"`)
    checkConversion(down, shape.initial, `"${to}" back to "${from}"`)
    this.#put(to, shape, { old, up, down })
  }

  /** Takes a field away, so that its name can be used for another one. */
  #free(name: string, version: number, then: (field: Field) => void): void {
    const field = this.#get(name)
    this.#fields.delete(name)
    this.#freed.set(name, version)
    then(field)
  }

  #get(name: string): Field {
    const field = this.#fields.get(name)
    if (field) return field
    const names = [...this.#fields.keys()].map((each) => `"${each}"`).join(', ')
    throw invalid(`a migration changes "${name}", but the fields before it are ${names || 'none'}`)
  }

  #put(name: string, shape: Shape | undefined, converted?: ConvertedFrom<Field>): void {
    const stored = this.#storedName(name)
    if (this.#stored.has(stored))
      throw invalid(`two fields are stored as "${stored}": use another name`)
    this.#stored.add(stored)
    this.#set(name, { stored, shape, converted, layout: undefined })
  }

  #set(name: string, field: Field): void {
    if (this.#fields.has(name)) throw invalid(`a migration makes a second field "${name}"`)
    if (this.#isDocument && isMethod(name)) throw invalid(`"${name}" is a method of a document`)
    this.#fields.set(name, field)
  }

  #storedName(name: string): string {
    const version = this.#freed.get(name)
    const stored = version === undefined ? name : `${name}~${version}`
    if (stored.length <= limits.entityNameBytes) return stored
    throw invalid('the name of a field is too long')
  }

  #storeRecord(
    declared: RecordShape<{ readonly [name: string]: Shape }>,
    what: string,
  ): StoredShape {
    const stored: [string, Shape][] = []
    const keep = (field: StoredField, shape: Shape): StoredField => {
      stored.push([field.stored, shape])
      return field
    }
    this.#checkAllDeclared(declared.fields, what)
    const fields = Object.entries(declared.fields).map(([name, shape]): LensField => {
      if (!this.#fields.has(name)) this.#put(name, shape)
      return {
        name,
        ...this.#storeField(this.#get(name), shape, `field "${name}" of ${what}`, keep),
      }
    })
    const shape = record(Object.fromEntries(stored))
    const isSame = fields.every(
      (field) => field.name === field.stored && field.lens.kind === 'same' && !field.converted,
    )
    return { shape, lens: isSame ? same : { kind: 'record', fields } }
  }

  #storeField(
    field: Field,
    declared: Shape,
    what: string,
    keep: (field: StoredField, shape: Shape) => StoredField,
  ): StoredField {
    const { shape, lens } = Layout.store(field.shape!, field.layout, declared, what)
    const { stored, converted } = field
    if (!converted) return keep({ stored, lens, converted: undefined }, shape)
    const old = this.#storeField(converted.old, converted.old.shape!, what, keep)
    const { initial } = declared as RegisterShape<Json>
    return keep({ stored, lens, converted: { ...converted, old } }, multiValueRegister(initial))
  }

  #storeDocument(
    declared: DocumentShape<{ readonly [key: string]: Json }>,
    what: string,
  ): StoredShape {
    const initial = initialOf(declared)
    this.#checkAllDeclared(initial, what)
    const stored = Object.entries(initial).map(([name, value]) => {
      if (!this.#fields.has(name)) this.#put(name, undefined)
      return [this.#get(name).stored, value] as const
    })
    const names = new Map<string, string>()
    for (const name of this.#freed.keys()) names.set(name, this.#storedName(name))
    for (const [name, field] of this.#fields) names.set(name, field.stored)
    const moved = [...names].filter(([name, at]) => name !== at)
    if (moved.length === 0) return { shape: declared, lens: same }
    return { shape: document(Object.fromEntries(stored)), lens: { kind: 'document', names: moved } }
  }

  #checkAllDeclared(declared: object, what: string): void {
    const missing = [...this.#fields.keys()].find((name) => !Object.hasOwn(declared, name))
    if (missing === undefined) return
    throw invalid(
      `${what} declares no "${missing}", which its migrations lead to: drop("${missing}") hides it`,
    )
  }

  /** A shape with these fields. */
  #within(shape: Shape): Shape {
    const part = partOf(shape)
    if (part) return withPart(shape, this.#within(part))
    const fields = [...this.#fields.keys()].map((name) => [name, this.shapeOf(name)] as const)
    return record(Object.fromEntries(fields))
  }
}

const isMethod = (name: string): boolean => documentMethods.some((method) => method === name)

const same: Lens = Object.freeze({ kind: 'same' })

/** The kinds of shapes with any number of parts of one shape, and the name of this shape. */
const partNames: { readonly [Kind in ShapeKind]?: string } = {
  map: 'value',
  list: 'item',
  tree: 'node',
}

const partOf = (shape: Shape): Shape | undefined => {
  const name = partNames[shape.kind]
  return name === undefined
    ? undefined
    : (shape as Shape & { readonly [part: string]: Shape })[name]
}

/** The shape with another shape of its parts, and with its own options. */
const withPart = (shape: Shape, part: Shape): Shape =>
  Object.freeze({ ...shape, [partNames[shape.kind]!]: part })

/** What stands inside maps, lists and trees. */
function innermost(shape: Shape): Shape {
  const part = partOf(shape)
  return part ? innermost(part) : shape
}

const initialOf = (shape: Shape): { readonly [key: string]: Json } =>
  (shape as DocumentShape<{ readonly [key: string]: Json }>).initial

/** A conversion must take the initial value, and give the same for the same value. */
function checkConversion(convert: (value: Json) => Json, initial: Json, what: string): void {
  const bounds = { depth: limits.valueDepth, size: limits.inputSize }
  const run = (): Json =>
    copyPlain(convert(initial), 'the converted initial value', bounds, 'invalid-declaration')
  let results: readonly [Json, Json]
  try {
    results = [run(), run()]
  } catch (cause) {
    throw invalid(`the conversion of ${what} fails for the initial value: ${reasonOf(cause)}`)
  }
  if (!equalData(...results))
    throw invalid(`the conversion of ${what} gives two results for one value`)
}

const invalid = (reason: string): PeerplaneError =>
  new PeerplaneError('invalid-declaration', reason)
