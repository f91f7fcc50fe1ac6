import { isContainer, type Default, type Kind } from './defaults.ts'
import type { Kinds } from './kinds.ts'
import type { DocumentReplica } from './library.ts'
import { isSameKind, kindOfType } from './missing.ts'

/** What stands at a key: its type in Automerge, and the value or the id of the container. */
type Standing = readonly [type: string, value: unknown]

/**
 * The declared places of a document. Where apps declare a place in two ways, Automerge holds both values, and each app is shown the one of
 * the kind that it declares. So neither hides what was typed in the other.
 */
export class Places {
  /** By the id of the container in Automerge, then by key. */
  readonly #places = new Map<string, Map<string, Default>>()
  readonly #kinds: Kinds

  constructor(declared: readonly Default[], kinds: Kinds) {
    this.#kinds = kinds
    this.#add('_root', declared)
  }

  /** What stands at a key, as the app declares it; `null` for nothing. */
  find(replica: DocumentReplica, container: string, key: string | number): Standing | null {
    const found = replica.getWithType(container, key) as Standing | null
    const place = this.#places.get(container)?.get(String(key))
    return found && place ? this.#asDeclared(replica, container, place, found) : found
  }

  /** Puts into the plain state of a replica what the app declares, where Automerge shows something else. */
  correct(replica: DocumentReplica, plain: unknown): void {
    const others: [readonly string[], Kind][] = []
    const look = (container: string, state: { [key: string]: unknown }): void => {
      for (const [key, place] of this.#places.get(container) ?? []) {
        const found = replica.getWithType(container, key) as Standing | null
        if (found === null) continue
        const [type, value] = this.#asDeclared(replica, container, place, found)
        if (value !== found[1]) {
          others.push([place.path, kindOfType(found[0])])
          state[key] = isContainer(type) ? replica.materialize(value as string) : value
        }
        if (value === place.id) look(place.id, state[key] as { [key: string]: unknown })
      }
    }
    look('_root', plain as { [key: string]: unknown })
    this.#kinds.noticed(others)
  }

  #asDeclared(
    replica: DocumentReplica,
    container: string,
    place: Default,
    found: Standing,
  ): Standing {
    const { path, kind, id, value } = place
    if (isSameKind(kindOfType(found[0]), kind)) return found
    const all = replica.getAll(container, path.at(-1)!) as (readonly [
      string,
      unknown,
      ...string[],
    ])[]
    const own = all.findLast(([type]) => kindOfType(type) === kind)
    // The id of a value comes last. That of a container is its value.
    const isMixed = this.#kinds.isMixed(path) || all.some((each) => each.at(-1) === id)
    // Otherwise a command of the app has put something of another kind there.
    if (!isMixed) return found
    if (own) return [own[0], own[1]]
    return [kind, isContainer(kind) ? id : value]
  }

  #add(container: string, places: readonly Default[]): void {
    const byKey = new Map(places.map((each) => [each.path.at(-1)!, each]))
    this.#places.set(container, byKey)
    for (const { id, kind, below } of places) if (kind === 'map') this.#add(id, below)
  }
}
