import type { Value } from '@peerplane/core'

import { touch, type Kernel } from '../kernel.ts'
import { readOp } from '../op.ts'
import type { OpContext } from '../op-context.ts'
import { OtherKind } from '../other-kind.ts'
import { Void } from '../void.ts'
import { shown, type TextCell } from './cell.ts'
import { Characters } from './characters.ts'
import { textHandle } from './handle.ts'
import { loadCharacters, saveCharacters } from './snapshot.ts'
import { readRanges, readSpot } from './wire.ts'

/*
 *   insert   [30, text, spot …]
 *   delete   [31, range …]
 *
 * The numbers from 32 to 35 are kept for marks.
 */

/**
 * A text, which several people write at the same time (Fugue: Weidner and Kleppmann 2023, The Art of the Fugue). Each character has a place that
 * never changes, and is deleted for good.
 */
export const textKernel: Kernel<TextCell> = {
  kind: 'text',
  create: () => ({ mirror: '', stale: false, characters: new Characters(), written: undefined }),

  apply(cell, op, context) {
    const fields = readOp(op, 'text')
    if (fields instanceof OtherKind) return fields
    context.draft?.changes(cell, () => shown(cell))
    if (fields[0] === 30) insert(cell, fields, context)
    else
      for (const each of readRanges(fields.slice(1), context)) cell.characters.delete(each, context)
    touch(cell, context)
    return undefined
  },

  weigh: ({ characters }) => characters.weight,
  show: (cell) => (cell ? shown(cell) : ''),
  handle: (place) => textHandle(place),
  save: ({ characters }, table) => saveCharacters(characters, table),
  load: (saved, table) => ({
    mirror: '',
    stale: true,
    characters: loadCharacters(saved, table),
    written: undefined,
  }),
}

function insert(
  { characters }: TextCell,
  [, text, ...spot]: readonly Value[],
  context: OpContext,
): void {
  if (typeof text !== 'string' || text === '') throw new Void('an op inserts no text')
  characters.insert(text, readSpot(spot, context), context)
}
