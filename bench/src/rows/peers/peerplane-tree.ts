import { entity, record, register, tree } from '@peerplane/node'

import type { Peer, PeerOptions, Row } from '../peer.ts'
import { openBoards, warmUpBoards, type BoardRow, type Boards } from './boards.ts'

/** How many rows of a board are on the top level. The other rows are their children, in turn. */
const TOP = 10

const Board = entity('board', {
  state: tree(record({ title: register(''), done: register(false), rank: register(0) })),
  commands: {
    create(rows, { row, at }: { readonly row: Row; readonly at: number }) {
      const { key, value } = rows.insert(at < TOP ? undefined : rows.children()[at % TOP])
      value.title.set(row.title)
      value.done.set(row.done)
      value.rank.set(row.rank)
      return key
    },
    rank: (rows, { key, rank }: { readonly key: string; readonly rank: number }) =>
      rows.get(key).rank.set(rank),
  },
})

const boards: Boards = {
  entity: Board,
  create: async (plane, board, row, at) =>
    (await plane.get(Board, board).create({ row, at })).reply,
  rank: (plane, board, key, rank) => plane.get(Board, board).rank({ key, rank }),
  rows: async (plane, board) => rowsOf(await plane.get(Board, board).state()),
  list: async (plane) =>
    (await plane.list(Board)).map(({ id, state }) => ({ id, rows: rowsOf(state) })),
  subscribe: (plane, board, listener) =>
    plane.get(Board, board).subscribe((state) => listener(rowsOf(state))),
}

/** The rows are nodes of trees with two levels. */
export const open = (options: PeerOptions): Promise<Peer> => openBoards(boards, options)

export const warmUp = (data: string): Promise<void> => warmUpBoards(boards, data)

/** The rows in the order in which they were made: first the top level, then each first child, and so on. */
function rowsOf(
  nodes: readonly (BoardRow & { readonly children: readonly BoardRow[] })[],
): BoardRow[] {
  const rows: BoardRow[] = [...nodes]
  for (let place = 0; ; place++) {
    const children = nodes.flatMap(({ children: all }) => all.slice(place, place + 1))
    if (children.length === 0) return rows
    rows.push(...children)
  }
}
