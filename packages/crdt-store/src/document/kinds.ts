import { arrayField, textField, type Value } from '@peerplane/core'

import { kindOf, type Kind, type Tree } from './defaults.ts'
import { problemOf } from './missing.ts'

/**
 * The kind of value at each place of the initial states of one document: that of this app, and those that others have built on. Where a text
 * has become a list, one would hide the other, so such a document is not shown.
 */
export class Kinds {
  /** By path, as JSON. */
  readonly #kinds = new Map<string, Kind>()
  readonly #declared = new Map<string, Kind>()
  #problem: string | undefined

  constructor(declared: Tree) {
    each(declared, [], (path, kind) => this.#declared.set(path, kind))
  }

  /** Why the document cannot be shown. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Adds an initial state that a change builds on. */
  add(tree: Tree): void {
    each(tree, [], (path, kind) => this.#add(path, kind))
  }

  /** The document holds something else than the state of a document. */
  addOther(): void {
    this.#problem ??= 'it was written as another kind of state and is declared as a document'
  }

  save(): Value {
    return [...this.#kinds].map(([path, kind]) => [path, kind])
  }

  load(saved: Value | undefined): void {
    for (const item of arrayField(saved, 'kinds')) {
      const [path, kind] = arrayField(item, 'kind', 2)
      this.#add(textField(path, 'kind.path', Infinity), textField(kind, 'kind', 16) as Kind)
    }
  }

  #add(path: string, kind: Kind): void {
    for (const known of [this.#kinds.get(path), this.#declared.get(path)]) {
      if (known === undefined) continue
      this.#problem ??= problemOf({ path: JSON.parse(path) as string[], kind: known }, kind)
    }
    if ((this.#kinds.get(path) ?? 'null') === 'null') this.#kinds.set(path, kind)
  }
}

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
