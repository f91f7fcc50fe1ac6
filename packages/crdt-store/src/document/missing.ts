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
  /** Why the document cannot be shown: an app that declares nothing there has put something of another kind at a place. */
  readonly problem: string | undefined
}

/**
 * The places of the initial state that a document does not have yet: whatever stands at a place already, is left as it is. They follow from
 * what the document holds, so they are the same on every device with that declaration.
 */
export function missingIn(replica: DocumentReplica, declared: readonly Default[]): Missing {
  const changes: Uint8Array[] = []
  let isComplete = true
  let problem: string | undefined

  const fill = (each: Default): void => {
    changes.push(...changesOf(each).map(({ bytes }) => bytes))
    each.below.forEach(fill)
  }
  const look = (container: string, places: readonly Default[]): Tree => {
    const tree: { [key: string]: Tree[string] } = {}
    for (const each of places) {
      const key = each.path.at(-1)!
      const found = replica.getWithType(container, key)
      if (replica.getChangeMetaByHash(each.change.hash) === null) {
        isComplete = false
        if (found !== null) {
          problem ??= problemOf(each, kindOfType(found[0]))
          continue
        }
        fill(each)
        tree[key] = each.value
      } else if (each.kind === 'map' && found?.[1] === each.id) {
        const below = look(each.id, each.below)
        if (Object.keys(below).length > 0) tree[key] = below
      }
    }
    return tree
  }
  const tree = look('_root', declared)
  return { changes, tree, isComplete, problem }
}

/** What is wrong where something of the kind `found` stands at a declared place. */
export function problemOf(
  { path, kind }: Pick<Default, 'path' | 'kind'>,
  found: Kind,
): string | undefined {
  if (found === kind || found === 'null' || kind === 'null') return undefined
  return `"${path.join('.')}" was written as a ${found} and is declared as a ${kind}`
}

function kindOfType(type: string): Kind {
  if (type === 'map' || type === 'list' || type === 'boolean' || type === 'null') return type
  return type === 'text' || type === 'str' ? 'text' : 'number'
}
