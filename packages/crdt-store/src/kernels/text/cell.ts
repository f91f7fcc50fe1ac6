import type { Cell, DraftPlace } from '../kernel.ts'
import type { Characters, CharacterRange, CharacterSpot } from './characters.ts'

export interface TextCell extends Cell {
  readonly characters: Characters
  /** What a command has done last. */
  written: WrittenOp | undefined
}

/** The op that a command has written last, if the next one may take its place. */
export interface WrittenOp {
  readonly draft: DraftPlace
  /** The number of the next op, unless another one was written since. */
  readonly next: number
  readonly op:
    | {
        readonly kind: 'insert'
        readonly text: string
        readonly spot: CharacterSpot
        readonly at: number
      }
    | { readonly kind: 'delete'; readonly ranges: readonly CharacterRange[] }
}

/** The text of a cell. */
export function shown(cell: TextCell): string {
  if (cell.stale) {
    // A forged op can part the halves of a surrogate pair.
    cell.mirror = cell.characters.shown.toWellFormed()
    cell.stale = false
  }
  return cell.mirror as string
}
