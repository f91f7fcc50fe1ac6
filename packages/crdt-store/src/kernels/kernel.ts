import type { Json, ShapeKind, Value, WholeKind } from '@peerplane/core'

import type { CommitTable } from './commits.ts'
import type { OpContext } from './op-context.ts'
import type { OtherKind } from './other-kind.ts'

/** A kind of shape that a kernel holds; the others have models of their own. */
export type NativeKind = Exclude<ShapeKind, WholeKind>

/** The folded state of one place. Each kernel adds its own fields; all changes to them are journalled in the context. */
export interface Cell {
  /** The mirror that was shown last. */
  mirror: Json
  /** Whether `mirror` may be out of date. */
  stale: boolean
}

/** Where a handle reads and writes. */
export interface CellAccess<C extends Cell> {
  /** The cell, if there is one: below a map, its first change creates it. */
  cell(): C | undefined
  /** Applies an op at this place and records it. */
  write(op: Value): void
  readonly draft: HandleDraft
}

/** What a handle knows of the command and of the entity that it writes to. */
export interface DraftPlace {
  /** Gives the refs under which ops of the draft name commits. */
  readonly table: CommitTable
  /** The number of the op that is written next. */
  readonly index: number
  /** Whether the entity is so large that a removal frees what it removes. */
  readonly isTight: boolean
  /** Whether all that the entity holds can be seen here. What cannot be seen is not freed. */
  readonly isComplete: boolean
}

/** The draft that a handle writes to. */
export interface HandleDraft extends DraftPlace {
  /** Takes back the op that was written last, which another one takes the place of. */
  takeBack(): void
}

/**
 * One kind of native state.
 *
 * The effect of ops does not depend on the order in which concurrent ones are applied. They come from other devices: `apply` throws `Void` for
 * an op that breaks a rule, and returns `OtherKind` for one of another kind. The caller then takes back what was done. Which of the two it is
 * depends on the op and on the declared shape alone, never on the cell: a device that keeps less than another one judges alike.
 */
export interface Kernel<C extends Cell = Cell> {
  /** The kind of shape that it holds. */
  readonly kind: NativeKind
  create(): C
  apply(cell: C, op: Value, context: OpContext): OtherKind | undefined
  /** What the place holds, in the bytes of `limits.entityBytes`. */
  weigh(cell: C): number
  /** The plain state, frozen; the same object as long as it is the same state. `undefined` stands for a cell that does not exist. */
  show(cell: C | undefined): Json
  handle(place: CellAccess<C>): object
  /** The cell for a snapshot, equal for equal states; `undefined` when there is nothing to keep. */
  save(cell: C, table: CommitTable): Value | undefined
  /** Inverse of `save`. Throws when it was not saved by this kernel. */
  load(saved: Value, table: CommitTable): C
}

/** What `values` says of an op whose place is gone: it has no effect, and is judged as if it had. */
export function judge(values: Kernel, op: Value, context: OpContext): OtherKind | undefined {
  const before = context.mark()
  const other = values.apply(values.create(), op, context)
  context.revert(before)
  return other
}

/** Marks a cell as changed. Taking it back brings back the mirror that was shown before. */
export function touch(cell: Cell, context: OpContext): void {
  const { mirror } = cell
  cell.stale = true
  context.undo(() => {
    cell.mirror = mirror
    cell.stale = true
  })
}
