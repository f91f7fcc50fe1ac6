import { fromUtf8 } from '@peerplane/core'

import { copyOf, free } from './automerge.ts'
import type { Change } from './change-chunk.ts'
import { action, type OperationColumns } from './columns.ts'
import type { DocumentReplica } from './library.ts'
import { NONE } from './run-length.ts'

/** Characters of a text that its author has inserted or deleted together. */
interface Edit {
  /** The text, as Automerge names it. */
  readonly text: string
  /** The character that is inserted behind, or the first that is deleted; `undefined` for the beginning of the text. */
  readonly item: string | undefined
  /** How many are deleted; 0 for an insertion. */
  deleted: number
  inserted: string
}

/**
 * Repeats a change of another device with the calls that its author made, a part at a time.
 *
 * To apply a change, Automerge goes through the whole text. To repeat the change costs only what the change does, however long the text
 * is. It works where the change builds on all that a replica holds, and edits nothing but texts. Whether the outcome is that
 * change and no other, its hash says.
 */
export class Replay {
  readonly #change: Change
  readonly #edits: readonly Edit[]
  readonly #copy: DocumentReplica
  #next = 0
  /** Where the rest of the next edit begins. */
  #index: number | undefined

  /** `replica` is never touched. */
  constructor(replica: DocumentReplica, change: Change) {
    this.#change = change
    this.#edits = editsOf(change)
    this.#copy = copyOf(replica, change.actors[0])
  }

  /** Does so much work; returns how much of it is left. Negative means that more is to be done. Throws what Automerge throws. */
  step(work: number): number {
    let left = work
    while (left > 0 && this.#next < this.#edits.length) {
      const edit = this.#edits[this.#next]!
      const { text, inserted } = edit
      if (this.#index === undefined) {
        this.#index = this.#find(edit)
        left -= RUN_WORK
      }
      const count = Math.min(edit.deleted, Math.max(1, Math.floor(left / DELETE_WORK)))
      if (inserted !== '') this.#copy.splice(text, this.#index, 0, inserted)
      // One by one, because some characters have two places.
      for (let each = 0; each < count; each++) this.#copy.delete(text, this.#index)
      left -= count * DELETE_WORK + inserted.length
      edit.deleted -= count
      if (edit.deleted > 0) continue
      this.#index = undefined
      this.#next++
    }
    return this.#next < this.#edits.length ? -1 : Math.max(0, left)
  }

  /** The copy with the change, when all is done; `undefined` if it became another change. */
  finish(): DocumentReplica | undefined {
    if (this.#copy.commit(null, 0) === this.#change.hash) return this.#copy
    this.close()
    return undefined
  }

  close(): void {
    free(this.#copy)
  }

  #find({ text, item, deleted }: Edit): number {
    if (item === undefined) return 0
    const index = this.#copy.getCursorPosition(text, item)
    // Where that is inside of a character of two places, Automerge inserts behind the character.
    return deleted > 0 ? index : index + 1
  }
}

/** How much work {@link Replay} has with a change, in microseconds or inserted characters. */
export function replayWork({ startOp, operations }: Change): number {
  let work = CHANGE_WORK
  for (let at = 0; at < operations.count; at++) {
    if (!continues(operations, at, startOp)) work += RUN_WORK
    work += operations.insert[at] === 1 ? 1 : DELETE_WORK
  }
  return work
}

const CHANGE_WORK = 40
const RUN_WORK = 15
const DELETE_WORK = 8

function editsOf({ actors, startOp, operations }: Change): readonly Edit[] {
  const edits: Edit[] = []
  const characters = Array.from(fromUtf8(operations.values))
  let next = 0
  const idOf = (actor: number, counter: number): string => `${counter}@${actors[actor]!}`
  for (let at = 0; at < operations.count; at++) {
    let edit = edits.at(-1)
    if (!edit || !continues(operations, at, startOp)) {
      const [actor, counter] = [operations.keyActor[at]!, operations.keyCounter[at]!]
      edit = {
        text: idOf(operations.objectActor[at]!, operations.objectCounter[at]!),
        item: actor === NONE ? undefined : idOf(actor, counter),
        deleted: 0,
        inserted: '',
      }
      edits.push(edit)
    }
    if (operations.insert[at] === 1) edit.inserted += characters[next++] ?? ''
    else edit.deleted++
  }
  return edits
}

/** Whether an operation inserts behind the one before it, or deletes what was probably behind what that one has deleted. */
function continues(operations: OperationColumns, at: number, startOp: number): boolean {
  const { objectActor, objectCounter, keyActor, keyCounter, insert } = operations
  const isSame =
    at > 0 &&
    insert[at] === insert[at - 1] &&
    objectActor[at] === objectActor[at - 1] &&
    objectCounter[at] === objectCounter[at - 1]
  if (!isSame) return false
  if (insert[at] === 1) return keyActor[at] === 0 && keyCounter[at] === startOp + at - 1
  return (
    operations.action[at] === action.delete &&
    keyActor[at] === keyActor[at - 1] &&
    keyCounter[at] === keyCounter[at - 1]! + 1
  )
}
