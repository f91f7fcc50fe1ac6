import { describe, halfPair, PeerplaneError, type TextHandle, type Value } from '@peerplane/core'

import { diffTexts } from '../../text/text-diff.ts'
import type { CellAccess } from '../kernel.ts'
import { shown, type TextCell, type WrittenOp } from './cell.ts'
import { Characters, type CharacterRange } from './characters.ts'
import { indexOfPosition, positionAt } from './positions.ts'

import { rangesToValues, spotToValues } from './wire.ts'

/** Fewer ranges of one op are joined with those of the next one: to join more takes longer than it saves. */
const FEW_RANGES = 8

/** What a handler of a command gets for a text. */
export function textHandle(place: CellAccess<TextCell>): TextHandle {
  const value = (): string => {
    const cell = place.cell()
    return cell ? shown(cell) : ''
  }
  const splice = (at: number | string, deleteCount: number, text: string): void => {
    const characters = charactersOf(place)
    const index = typeof at === 'string' ? indexOfPosition(characters, at) : at
    checkSplice(characters.length, index, deleteCount, text)
    spliceUnits(place, { at: index, remove: deleteCount, text })
  }
  return Object.freeze({
    get value() {
      return value()
    },
    get length() {
      return charactersOf(place).length
    },
    toString: value,
    set: (text: string) => {
      checkText(text)
      for (const hunk of diffTexts(value(), text)) spliceUnits(place, hunk)
    },
    splice,
    insert: (at: number | string, text: string) => splice(at, 0, text),
    delete: (at: number | string, count: number) => splice(at, count, ''),
    positionAt: (index: number, neighbour: 'next' | 'previous' = 'next') =>
      positionAt(charactersOf(place), index, neighbour),
    indexOf: (position: string) => indexOfPosition(charactersOf(place), position),
  })
}

const charactersOf = (place: CellAccess<TextCell>): Characters =>
  place.cell()?.characters ?? new Characters()

function checkSplice(length: number, at: number, remove: number, text: unknown): void {
  const isWhole = (count: number): boolean => Number.isSafeInteger(count) && count >= 0
  if (!isWhole(at) || !isWhole(remove) || at + remove > length) {
    throw new PeerplaneError(
      'invalid-input',
      `a text of ${length} characters has no ${describe(remove)} characters at ${describe(at)}`,
    )
  }
  if (typeof text !== 'string') {
    throw new PeerplaneError('invalid-input', `a splice inserts a string, not ${describe(text)}`)
  }
}

function checkText(text: unknown): asserts text is string {
  if (typeof text !== 'string') {
    throw new PeerplaneError('invalid-input', `a text is set to a string, not ${describe(text)}`)
  }
  if (!text.isWellFormed()) throw halfPair()
}

/** Replaces UTF-16 units. Halves of surrogate pairs are replaced together with the other half, and are refused where one would be left. */
function spliceUnits(
  place: CellAccess<TextCell>,
  { at, remove, text }: { readonly at: number; readonly remove: number; readonly text: string },
): void {
  const characters = charactersOf(place)
  const before = characters.isInPair(at) ? characters.shownAt(at - 1) : ''
  const after = characters.isInPair(at + remove) ? characters.shownAt(at + remove) : ''
  const whole = before + text + after
  if (!whole.isWellFormed()) throw halfPair()
  const [from, until] = [at - before.length, at + remove + after.length]
  if (until > from) deleteUnits(place, from, until)
  if (whole !== '') insertText(place, from, whole)
}

function deleteUnits(place: CellAccess<TextCell>, from: number, until: number): void {
  let ranges: readonly CharacterRange[] = place.cell()!.characters.ranges(from, until)
  const before = lastWritten(place)
  if (before?.kind === 'delete' && before.ranges.length < FEW_RANGES) {
    ranges = joined(before.ranges, ranges)
    place.draft.takeBack()
  }
  write(place, [31, ...rangesToValues(ranges, place.draft.table)], { kind: 'delete', ranges })
}

function insertText(place: CellAccess<TextCell>, at: number, added: string): void {
  const before = lastWritten(place)
  const continues = before?.kind === 'insert' && before.at + before.text.length === at
  const first = continues ? before.at : at
  const text = continues ? before.text + added : added
  const spot = continues ? before.spot : charactersOf(place).spotAt(at)
  if (continues) place.draft.takeBack()
  const op: Value = [30, text, ...spotToValues(spot, place.draft.table)]
  write(place, op, { kind: 'insert', text, spot, at: first })
}

function write(place: CellAccess<TextCell>, op: Value, written: WrittenOp['op']): void {
  place.write(op)
  place.cell()!.written = { draft: place.draft, next: place.draft.index, op: written }
}

function lastWritten(place: CellAccess<TextCell>): WrittenOp['op'] | undefined {
  const written = place.cell()?.written
  const isLast = written?.draft === place.draft && written.next === place.draft.index
  return isLast ? written.op : undefined
}

/** Ranges as one if the second follows the first, as when somebody deletes one character after the other. */
function joined(
  before: readonly CharacterRange[],
  ranges: readonly CharacterRange[],
): readonly CharacterRange[] {
  const [one, other] = [before.at(-1)!, ranges[0]!]
  const isNext = (a: CharacterRange, b: CharacterRange): boolean =>
    a.last.commit === b.first.commit && a.last.offset + 1 === b.first.offset
  if (isNext(one, other)) {
    return [...before.slice(0, -1), { first: one.first, last: other.last }, ...ranges.slice(1)]
  }
  if (isNext(other, one)) {
    return [...before.slice(0, -1), { first: other.first, last: one.last }, ...ranges.slice(1)]
  }
  return [...before, ...ranges]
}
