import { encodeCanonical, hash, limits, PeerplaneError, toHex, type Json } from '@peerplane/core'

import { copyOf } from './automerge.ts'
import { readChange, type Change } from './change-chunk.ts'
import type { Automerge, DocumentReplica } from './library.ts'
import { typeOf } from './plain.ts'

/** An initial state, or a part of one. */
export interface Tree {
  readonly [key: string]: Json
}

/** What stands at a place of an initial state. */
export type Kind = 'map' | 'list' | 'text' | 'number' | 'boolean' | 'null'

/**
 * One place of an initial state, as changes without an author that are the same on every device: all devices that declare a text called
 * `title` edit the same text, whatever else their declarations hold.
 */
export interface Default {
  readonly path: readonly string[]
  readonly kind: Kind
  readonly value: Json
  /** Puts a value, or an empty container. */
  readonly change: Change
  /** Fills a text or list; absent where it is empty. */
  readonly content: Change | undefined
  /** Id of the container in Automerge. */
  readonly id: string
  /** Places below a map. */
  readonly below: readonly Default[]
}

/** Makes the changes of initial states. */
export class DefaultMaker {
  /** The first change of every document: it has no operations, and the others build on it. */
  readonly #root: DocumentReplica
  /** By canonical encoding, the oldest first. */
  readonly #made = new Map<string, readonly Default[]>()

  constructor(library: Automerge) {
    this.#root = library.getBackend(library.init({ actor: '00'.repeat(16) }))
    this.#root.resetDiffCursor()
    this.#root.emptyChange(null, 0)
  }

  /** A document without any state. */
  empty(): DocumentReplica {
    return copyOf(this.#root)
  }

  /** The places of `tree`, in the order of their keys. Throws `too-large` for more than `limits.documentDefaults`. */
  of(tree: Tree): readonly Default[] {
    if (count(tree) - 1 > limits.documentDefaults) {
      const most = limits.documentDefaults
      throw new PeerplaneError('too-large', `an initial state has more than ${most} places`)
    }
    const key = toHex(encodeCanonical(tree))
    const known = this.#made.get(key)
    if (known) return known
    const made = this.#below(this.#root, '_root', [], tree)
    this.#made.set(key, made)
    const [oldest] = this.#made.keys()
    if (this.#made.size > KEPT && oldest !== undefined) this.#made.delete(oldest)
    return made
  }

  #below(
    parent: DocumentReplica,
    id: string,
    path: readonly string[],
    tree: Tree,
  ): readonly Default[] {
    return Object.entries(tree).map(([key, value]) => {
      const place = [...path, key]
      const kind = kindOf(value)
      const replica = parent.clone(actorFor(place, kind, isContainer(kind) ? null : value))
      const content: DocumentReplica[] = []
      try {
        if (kind === 'text') replica.putObject(id, key, '')
        else if (kind === 'list') replica.putObject(id, key, [])
        else if (kind === 'map') replica.putObject(id, key, {})
        else replica.put(id, key, value as null, typeOf(value))
        const change = committed(replica)
        const container = `${change.startOp}@${change.actors[0]}`
        if (hasContent(value)) content.push(this.#filled(replica, container, place, value))
        const below = kind === 'map' ? this.#below(replica, container, place, value as Tree) : []
        const filled = content[0] && committed(content[0])
        return { path: place, kind, value, change, content: filled, id: container, below }
      } finally {
        for (const each of [replica, ...content]) each.free()
      }
    })
  }

  #filled(
    empty: DocumentReplica,
    id: string,
    path: readonly string[],
    value: Json,
  ): DocumentReplica {
    const replica = empty.clone(actorFor(path, kindOf(value), value))
    if (typeof value === 'string') replica.splice(id, 0, 0, value)
    else replica.spliceFromHydrate(id, 0, 0, value as never)
    return replica
  }
}

/** What stands at a place with this value. */
export function kindOf(value: Json): Kind {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'list'
  if (typeof value === 'string') return 'text'
  return typeof value === 'object' ? 'map' : (typeof value as 'number' | 'boolean')
}

/** All places, those above before those below. */
export const allOf = (defaults: readonly Default[]): readonly Default[] =>
  defaults.flatMap((each) => [each, ...allOf(each.below)])

/** The changes of a place. */
export const changesOf = ({ change, content }: Default): readonly Change[] =>
  content ? [change, content] : [change]

const KEPT = 16

/** Whether a value of this kind, or of this type of Automerge, has an id. */
export const isContainer = (kind: string): boolean =>
  kind === 'text' || kind === 'list' || kind === 'map'

const hasContent = (value: Json): value is string | readonly Json[] =>
  (typeof value === 'string' || Array.isArray(value)) && value.length > 0

function count(value: Json): number {
  if (kindOf(value) !== 'map') return 1
  return Object.values(value as Tree).reduce<number>((sum, each) => sum + count(each), 1)
}

/**
 * Who a change of an initial state is by: nobody whose changes could win over those of a session, because the later of two actors wins;
 * a container wins over a value, because something may have been typed into it.
 */
const actorFor = (path: readonly string[], kind: Kind, value: Json): string =>
  `${'00'.repeat(7)}${isContainer(kind) ? '01' : '00'}${toHex(
    hash('document-default', encodeCanonical([path, kind, value])).slice(0, 8),
  )}`

function committed(replica: DocumentReplica): Change {
  const made = replica.commit(null, 0)
  return readChange(replica.getChangeByHash(made!)!)
}
