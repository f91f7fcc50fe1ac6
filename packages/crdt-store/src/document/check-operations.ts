import { limits } from '@peerplane/core'

import type { Change } from './change-chunk.ts'
import { action, STRING_VALUE, type OperationColumns } from './columns.ts'
import {
  INSERTED,
  ROOT,
  type ContainerType,
  type OperationIndex,
  type ContainerKey,
} from './operation-index.ts'
import { NONE } from './run-length.ts'
import { placeOf, type Knows, type Standing } from './standing.ts'
import { wrong } from './wrong.ts'

/** What a change touches. */
export interface Touched {
  /** How many operations the largest container has that it changes. */
  readonly largest: number
  /** Whether it changes nothing but texts that were there before. */
  readonly isText: boolean
}

/**
 * Puts the operations of a change, which is already the last of its actor, into the index, and checks of each that what it refers to
 * exists, may be known to it, and is of the kind and at the place that fits.
 *
 * Automerge looks for some of this only in the containers that the rest of a batch touches, so that it accepts in one batch what it
 * refuses in another. After this check both agree.
 *
 * `actors` are the numbers of the actors in the change's list. `known` says whether the change may know of an operation. Throws `void`; then
 * the change must be removed from the index.
 */
export function addOperations(
  { operations: ops, startOp }: Change,
  actors: readonly number[],
  known: Knows,
  { index, standing }: { readonly index: OperationIndex; readonly standing: Standing },
): Touched {
  const author = actors[0]!
  const actorAt = (local: number, counter: number): number => {
    const actor = actors[local]
    if (actor === undefined || !known(actor, counter))
      throw wrong('it refers to what it cannot know')
    return actor
  }

  const keys = new Keys(ops, actorAt, index)
  let next = 0
  let largest = 0
  let isText = ops.count > 0
  for (let at = 0; at < ops.count; at++) {
    const [local, made] = [ops.objectActor[at]!, ops.objectCounter[at]!]
    const container =
      local === NONE && made === NONE ? ROOT : index.containerOf(actorAt(local, made), made)
    if (container === undefined) throw wrong('there is no such container')
    const key = keys.read(at, container)
    const kind = ops.action[at]!
    const containerType = index.typeOf(container)
    checkKind(kind, key, ops.valueType[at]!, containerType)
    isText &&= containerType === 'text'

    const last = next + ops.replaced[at]!
    if (kind === action.delete && last === next) throw wrong('it deletes nothing')
    if (key === INSERTED && last !== next) throw wrong('an insertion replaces something')
    const counter = startOp + at
    const place = keys.place(key, container)
    let left = place === undefined ? undefined : standing.mustReplace(place, author, counter, known)
    for (; next < last; next++) {
      const replaced = ops.replacedCounter[next]!
      const actor = actorAt(ops.replacedActor[next]!, replaced)
      const there = index.find(actor, replaced)
      if (there?.container !== container || !keys.isThere(key, there, actor, replaced)) {
        throw wrong('it replaces what is elsewhere')
      }
      if (actor === author && replaced === left) left = undefined
      if (place !== undefined) standing.replace(place, [actor, replaced], [author, counter])
    }
    if (kind !== action.delete) {
      if (left !== undefined) throw wrong('it leaves a value of its own author beside it')
      const stored = keys.stored(key)
      index.put(author, counter, container, stored)
      if (key !== INSERTED) standing.put(placeOf(container, stored), author, counter)
    }
    const type = containerMade(kind)
    if (type) index.addContainer(author, counter, type, depthIn(container, type, index))
    largest = Math.max(largest, index.sizeOf(container))
  }
  return { largest, isText }
}

/** The depth of a container of this type in another one. Handles refuse to go deeper, and mirrors end there. */
function depthIn(container: number, type: ContainerType, index: OperationIndex): number {
  const depth = index.depthOf(container) + 1
  if (depth > limits.valueDepth + (type === 'text' ? 1 : 0)) throw wrong('it goes too deep')
  return depth
}

/** Reads the keys of operations. */
class Keys {
  readonly #ops: OperationColumns
  readonly #actorAt: (local: number, counter: number) => number
  readonly #index: OperationIndex
  /** The item that the key `ITEM` stands for. */
  #actor = NONE
  #counter = NONE

  constructor(
    ops: OperationColumns,
    actorAt: (local: number, counter: number) => number,
    index: OperationIndex,
  ) {
    this.#ops = ops
    this.#actorAt = actorAt
    this.#index = index
  }

  /** The number of the key of a map, `INSERTED`, or `ITEM` for the item of a list, until the next call. Throws `void`. */
  read(at: number, container: number): number {
    const ops = this.#ops
    const text = ops.keyText[at]
    const [local, counter] = [ops.keyActor[at]!, ops.keyCounter[at]!]
    const isInsert = ops.insert[at] === 1
    if (this.#index.typeOf(container) === 'map') {
      if (text === undefined || local !== NONE || counter !== NONE || isInsert) {
        throw wrong('a key of a map is not text')
      }
      return this.#index.keyOfText(text)
    }
    if (text !== undefined) throw wrong('a key of a list is a text')
    if (isInsert && local === NONE && counter === 0) return INSERTED
    const actor = this.#actorAt(local, counter)
    const item = this.#index.find(actor, counter)
    if (item?.key !== INSERTED || item.container !== container) throw wrong('there is no such item')
    this.#actor = actor
    this.#counter = counter
    return isInsert ? INSERTED : ITEM
  }

  /** Where values stand at this key; `undefined` where nothing but an insertion may: most items of texts never get a number. */
  place(key: number, container: number): number | undefined {
    const known = key === ITEM ? this.#knownItem() : key
    return known === undefined || key === INSERTED ? undefined : placeOf(container, known)
  }

  /** The number under which the index has it. */
  stored(key: number): number {
    return key === ITEM ? this.#index.keyOfItem(this.#actor, this.#counter) : key
  }

  /** Whether an operation, which stands at `place`, is at this key. */
  isThere(key: number, place: ContainerKey, actor: number, counter: number): boolean {
    if (key !== ITEM) return place.key === key
    if (place.key === INSERTED) return actor === this.#actor && counter === this.#counter
    return place.key === this.#knownItem()
  }

  #knownItem(): number | undefined {
    return this.#index.knownKeyOfItem(this.#actor, this.#counter)
  }
}

const ITEM = -3

/** Texts hold strings only, and those are inserted and deleted, never changed. */
function checkKind(kind: number, key: number, valueType: number, container: ContainerType): void {
  if (key === INSERTED && kind === action.delete) throw wrong('an insertion deletes')
  if (container !== 'text' || kind === action.delete) return
  if (key !== INSERTED || kind !== action.set || valueType !== STRING_VALUE) {
    throw wrong('a text holds something else than characters')
  }
}

/** What an operation of this action makes. */
export function containerMade(kind: number): ContainerType | undefined {
  if (kind === action.makeMap) return 'map'
  if (kind === action.makeList) return 'list'
  return kind === action.makeText ? 'text' : undefined
}
