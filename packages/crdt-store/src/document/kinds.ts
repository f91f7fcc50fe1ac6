import { arrayField, textField, type Value } from '@peerplane/core'

import { kindOf, type Kind, type Tree } from './defaults.ts'
import { isSameKind } from './missing.ts'

/**
 * The places that others have declared as another kind of value than this app, which follow from the initial states that changes build on.
 * Each app is shown a value of the kind that it declares.
 */
export class Kinds {
  readonly #declared = new Map<string, Kind>()
  /** What others have declared, by path as JSON. */
  readonly #others = new Map<string, string>()
  #skipped: string | undefined
  #noticed: string | undefined

  constructor(declared: Tree) {
    each(declared, [], (path, kind) => this.#declared.set(path, kind))
  }

  /** What the app is not shown, because it declares something else. */
  get skipped(): string | undefined {
    return this.#skipped ?? this.#noticed
  }

  /** Whether others have declared a place as a kind that this app does not declare. */
  isMixed(path: readonly string[]): boolean {
    return this.#others.size > 0 && this.#others.has(JSON.stringify(path))
  }

  /** Adds an initial state that a change builds on. */
  add(tree: Tree): void {
    each(tree, [], (path, kind) => {
      const declared = this.#declared.get(path)
      if (declared !== undefined && !isSameKind(kind, declared)) this.#add(path, kind)
    })
  }

  /** A body is no change of a document. */
  addOther(): void {
    this.#add(WHOLE, OTHER)
  }

  /** The places at which something else stands than the app declares, whatever others have declared there. */
  noticed(places: readonly (readonly [path: readonly string[], kind: Kind])[]): void {
    const [first] = places
    this.#noticed = first && this.#reason(...first)
  }

  save(): Value {
    return [...this.#others].map(([path, kind]) => [path, kind])
  }

  load(saved: Value | undefined): void {
    for (const item of arrayField(saved, 'kinds')) {
      const [path, kind] = arrayField(item, 'kind', 2)
      this.#add(textField(path, 'kind.path', Infinity), textField(kind, 'kind', 32))
    }
  }

  #add(path: string, kind: string): void {
    this.#others.set(path, kind)
    this.#skipped ??= this.#reason(JSON.parse(path) as string[], kind)
  }

  #reason(path: readonly string[], kind: string): string {
    const declared = this.#declared.get(JSON.stringify(path)) ?? 'document'
    const place = path.length > 0 ? `"${path.join('.')}"` : 'it'
    return `${place} was written as ${kind === OTHER ? OTHER : `a ${kind}`} and is declared as a ${declared}`
  }
}

/** The path of the whole document, as JSON. */
const WHOLE = '[]'
const OTHER = 'state of another kind'

function each(
  tree: Tree,
  above: readonly string[],
  visit: (path: string, kind: Kind) => void,
): void {
  for (const [key, value] of Object.entries(tree)) {
    const path = [...above, key]
    const kind = kindOf(value)
    visit(JSON.stringify(path), kind)
    if (kind === 'map') each(value as Tree, path, visit)
  }
}
