import { entity, list, record, register } from '@peerplane/node'

import type { Peer, PeerOptions, Row } from '../peer.ts'
import { openBoards, warmUpBoards, type Boards } from './boards.ts'

const Board = entity('board', {
  state: list(record({ title: register(''), done: register(false), rank: register(0) })),
  commands: {
    create(rows, { title, done, rank }: Row) {
      const { key, value } = rows.insert()
      value.title.set(title)
      value.done.set(done)
      value.rank.set(rank)
      return key
    },
    rank: (rows, { key, rank }: { readonly key: string; readonly rank: number }) =>
      rows.get(key).rank.set(rank),
  },
})

const boards: Boards = {
  entity: Board,
  create: async (plane, board, row) => (await plane.get(Board, board).create(row)).reply,
  rank: (plane, board, key, rank) => plane.get(Board, board).rank({ key, rank }),
  rows: (plane, board) => plane.get(Board, board).state(),
  list: async (plane) => (await plane.list(Board)).map(({ id, state }) => ({ id, rows: state })),
  subscribe: (plane, board, listener) => plane.get(Board, board).subscribe(listener),
}

/** The rows are elements of lists, in the order in which they are made. */
export const open = (options: PeerOptions): Promise<Peer> => openBoards(boards, options)

export const warmUp = (data: string): Promise<void> => warmUpBoards(boards, data)
