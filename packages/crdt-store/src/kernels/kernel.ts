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
  /** Gives the refs under which an op written here names commits. */
  readonly table: CommitTable
}

/**
 * One kind of native state.
 *
 * Ops and removals name what they supersede, and their effect does not depend on the order in which concurrent ones are applied. They
 * come from other devices: `apply` and `remove` throw `Void` for an op that breaks a rule, and return `OtherKind` for one of another kind. The
 * caller then takes back what was done.
 */
export interface Kernel<C extends Cell = Cell> {
  /** The kind of shape that it holds. */
  readonly kind: NativeKind
  create(): C
  apply(cell: C, op: Value, context: OpContext): OtherKind | undefined
  /** Applies a removal of the place, made from what `observe` gave. */
  remove(cell: C, observed: Value, context: OpContext): OtherKind | undefined
  /** What a removal must name to take back all that is here; `undefined` when nothing is. */
  observe(cell: C, table: CommitTable): Value | undefined
  /** Whether anything is here that a removal would take back. */
  isLive(cell: C): boolean
  /** Whether nothing was ever here, as far as this cell knows. */
  isBlank(cell: C): boolean
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

/** Whether one of `values` passes; maps' iterators have no such method in every browser. */
export function some<T>(values: Iterable<T>, passes: (value: T) => boolean): boolean {
  for (const value of values) if (passes(value)) return true
  return false
}

/** Sets what is at a key; `undefined` for nothing. */
export function place<Key, C>(cells: Map<Key, C>, key: Key, cell: C | undefined): void {
  if (cell === undefined) cells.delete(key)
  else cells.set(key, cell)
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
