import { changesOf, type Default, type Kind, type Tree } from './defaults.ts'
import type { DocumentReplica } from './library.ts'

/** What a declared initial state adds to a document. */
export interface Missing {
  /** In the order in which they can be applied. */
  readonly changes: readonly Uint8Array[]
  /** The part of the initial state that they make. */
  readonly tree: Tree
  /** Whether there is nothing that could be missing later. */
  readonly isComplete: boolean
}

/**
 * The places of the initial state that a document does not have yet: whatever stands at a place already, is left as it is. They follow from
 * what the document holds, so they are the same on every device with that declaration.
 */
export function missingIn(replica: DocumentReplica, declared: readonly Default[]): Missing {
  const changes: Uint8Array[] = []
  let isComplete = true

  const fill = (each: Default): void => {
    changes.push(...changesOf(each).map(({ bytes }) => bytes))
    each.below.forEach(fill)
  }
  const look = (container: string, places: readonly Default[]): Tree => {
    const tree: { [key: string]: Tree[string] } = {}
    for (const each of places) {
      const key = each.path.at(-1)!
      const found = replica.getWithType(container, key) as readonly [string, unknown] | null
      if (replica.getChangeMetaByHash(each.change.hash) === null) {
        isComplete = false
        // An app that declares nothing there has put something: of the same kind, it stays.
        if (found !== null && isSameKind(kindOfType(found[0]), each.kind)) continue
        fill(each)
        tree[key] = each.value
      } else if (each.kind === 'map' && found && isShownAt(found, each)) {
        const below = look(each.id, each.below)
        if (Object.keys(below).length > 0) tree[key] = below
      }
    }
    return tree
  }
  const tree = look('_root', declared)
  return { changes, tree, isComplete }
}

/** Whether the declared map is shown where `found` stands: it is there, or something of another kind, which is not shown. */
const isShownAt = ([type, value]: readonly [string, unknown], { id, kind }: Default): boolean =>
  value === id || !isSameKind(kindOfType(type), kind)

/** Whether a value of one kind can stand where another is declared. Any value may take the place of `null`. */
export const isSameKind = (found: Kind, declared: Kind): boolean =>
  found === declared || found === 'null' || declared === 'null'

/** The kind of a value that has a type of Automerge. */
export function kindOfType(type: string): Kind {
  if (type === 'map' || type === 'list' || type === 'boolean' || type === 'null') return type
  return type === 'text' || type === 'str' ? 'text' : 'number'
}
