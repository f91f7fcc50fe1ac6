import {
  counter,
  entity,
  map,
  record,
  register,
  set,
  text,
  type Entity,
  type SetHandle,
} from '@peerplane/core'

import type { Marked } from './marked.ts'
import { panelCommands, panelEntity } from './panel.ts'
import { graftNodes, nodesShape, plantNode, pruneNodes } from './nodes.ts'
import { dropRows, putRow, rowsShape, shiftRows } from './rows.ts'
import { strikeWords, tellWord } from './story.ts'

/** Told by every handler: command `mark` runs now on this entity, where it finds the effects of `seen`. */
export type Ran = (type: string, id: string, mark: string, seen: readonly string[]) => void

type WithMarks = { readonly marks: SetHandle<string> }

/**
 * Entities whose states tell which commands they contain: every command adds its name to the set `marks`, besides what else it does. One
 * commit, so a device that shows the name must show the effect.
 */
export function campaignEntities(ran: Ran): readonly Entity[] {
  const marking =
    <State extends WithMarks>(type: string, change: (state: State, input: Marked) => void) =>
    (state: State, input: Marked, { id }: { readonly id: string }): void => {
      ran(type, id, input.mark, state.marks.values)
      state.marks.add(input.mark)
      change(state, input)
    }
  const tally = entity('tally', {
    state: record({ marks: set(), total: counter() }),
    commands: { add: marking('tally', (state, { by }) => state.total.increment(by)) },
  })
  const board = entity('board', {
    state: record({
      marks: set(),
      title: register(''),
      cells: map(register('')),
      tags: set(),
      sums: map(counter()),
      rows: rowsShape,
      nodes: nodesShape,
      story: text(),
    }),
    commands: {
      name: marking('board', (board, { text }) => board.title.set(text)),
      write: marking('board', (board, { key, text }) => board.cells.get(key).set(text)),
      erase: marking('board', (board, { key }) => board.cells.delete(key)),
      tag: marking('board', (board, { key }) => board.tags.add(key)),
      untag: marking('board', (board, { key }) => board.tags.delete(key)),
      count: marking('board', (board, { key, by }) => board.sums.get(key).increment(by)),
      put: marking('board', ({ rows }, input) => putRow(rows, input)),
      shift: marking('board', ({ rows }, input) => shiftRows(rows, input)),
      drop: marking('board', ({ rows }, input) => dropRows(rows, input)),
      plant: marking('board', ({ nodes }, input) => plantNode(nodes, input)),
      graft: marking('board', ({ nodes }, input) => graftNodes(nodes, input)),
      prune: marking('board', ({ nodes }, input) => pruneNodes(nodes, input)),
      tell: marking('board', ({ story }, input) => tellWord(story, input)),
      strike: marking('board', ({ story }, input) => strikeWords(story, input)),
      forget: marking('board', (board, { key }) => board.sums.delete(key)),
    },
  })
  return [tally, board, panelEntity(marking)]
}

/** Command names by entity type. */
export const campaignCommands = {
  tally: ['add'],
  board: [
    'name',
    'write',
    'erase',
    'tag',
    'untag',
    'count',
    'forget',
    'put',
    'shift',
    'drop',
    'plant',
    'graft',
    'prune',
    'tell',
    'strike',
  ],
  panel: panelCommands,
} as const
