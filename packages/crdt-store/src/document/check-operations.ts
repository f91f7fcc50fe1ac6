import type { Change } from './change-chunk.ts'
import { action, STRING_VALUE } from './columns.ts'
import {
  INSERTED,
  ROOT,
  type ContainerType,
  type OperationIndex,
  type ContainerKey,
} from './operation-index.ts'
import { NONE } from './run-length.ts'
import { wrong } from './wrong.ts'

/**
 * Puts the operations of a change, which is already the last of its actor, into the index, and checks of each that what it refers to
 * exists, may be known to it, and is of the kind and at the place that fits.
 *
 * Automerge looks for some of this only in the containers that the rest of a batch touches, so that it accepts in one batch what it
 * refuses in another. After this check both agree.
 *
 * `actors` are the numbers of the actors in the change's list. `known` says whether the change may know of an operation. Throws `void`;
 * then the change must be removed from the index.
 */
export function addOperations(
  { operations: ops, startOp }: Change,
  actors: readonly number[],
  known: (actor: number, counter: number) => boolean,
  index: OperationIndex,
): void {
  const author = actors[0]!
  const actorAt = (local: number, counter: number): number => {
    const actor = actors[local]
    if (actor === undefined || !known(actor, counter))
      throw wrong('it refers to what it cannot know')
    return actor
  }

  let itemActor = NONE
  let itemCounter = NONE
  /** The number of the key of a map, `INSERTED`, or `ITEM` for the item of a list that the two variables name. */
  const keyOf = (at: number, container: number): number => {
    const text = ops.keyText[at]
    const [local, counter] = [ops.keyActor[at]!, ops.keyCounter[at]!]
    const isInsert = ops.insert[at] === 1
    if (index.typeOf(container) === 'map') {
      if (text === undefined || local !== NONE || counter !== NONE || isInsert) {
        throw wrong('a key of a map is not text')
      }
      return index.keyOfText(text)
    }
    if (text !== undefined) throw wrong('a key of a list is a text')
    if (isInsert && local === NONE && counter === 0) return INSERTED
    const actor = actorAt(local, counter)
    const item = index.find(actor, counter)
    if (item?.key !== INSERTED || item.container !== container) throw wrong('there is no such item')
    itemActor = actor
    itemCounter = counter
    return isInsert ? INSERTED : ITEM
  }
  const isAtItem = (place: ContainerKey, actor: number, counter: number): boolean =>
    place.key === INSERTED
      ? actor === itemActor && counter === itemCounter
      : place.key === index.keyOfItem(itemActor, itemCounter)

  let next = 0
  for (let at = 0; at < ops.count; at++) {
    const [local, made] = [ops.objectActor[at]!, ops.objectCounter[at]!]
    const container =
      local === NONE && made === NONE ? ROOT : index.containerOf(actorAt(local, made), made)
    if (container === undefined) throw wrong('there is no such container')
    const key = keyOf(at, container)
    const kind = ops.action[at]!
    checkKind(kind, key, ops.valueType[at]!, index.typeOf(container))

    const last = next + ops.replaced[at]!
    if (kind === action.delete && last === next) throw wrong('it deletes nothing')
    if (key === INSERTED && last !== next) throw wrong('an insertion replaces something')
    for (; next < last; next++) {
      const counter = ops.replacedCounter[next]!
      const actor = actorAt(ops.replacedActor[next]!, counter)
      const place = index.find(actor, counter)
      const isThere = key === ITEM ? place && isAtItem(place, actor, counter) : place?.key === key
      if (place?.container !== container || !isThere) throw wrong('it replaces what is elsewhere')
    }

    const counter = startOp + at
    if (kind !== action.delete) {
      const stored = key === ITEM ? index.keyOfItem(itemActor, itemCounter) : key
      index.put(author, counter, container, stored)
    }
    const type = containerMade(kind)
    if (type) index.addContainer(author, counter, type)
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
