import { join } from 'node:path'

import { open as openPlane, type Entity, type Plane } from '@peerplane/node'

import type { Change, Peer, PeerOptions, Row } from '../peer.ts'
import { idOf } from '../workload.ts'

/** Turns that may be written and not yet durable. */
const IN_FLIGHT = 8
/** How many rows one board has. */
const LENGTH = 100

/** A row as the state of its board shows it: the same object as long as the row does not change. */
export interface BoardRow {
  readonly key: string
  readonly value: Row
}

/** How boards of one kind of state keep their rows. */
export interface Boards {
  readonly entity: Entity
  create(plane: Plane, board: string, row: Row, at: number): Promise<string>
  rank(plane: Plane, board: string, key: string, rank: number): Promise<unknown>
  /** The rows of a board, in the order in which they were made. */
  rows(plane: Plane, board: string): Promise<readonly BoardRow[]>
  list(
    plane: Plane,
  ): Promise<readonly { readonly id: string; readonly rows: readonly BoardRow[] }[]>
  subscribe(plane: Plane, board: string, listener: (rows: readonly BoardRow[]) => void): void
}

/** Peerplane through its public API; each 100 rows are in one entity. */
export async function openBoards(
  boards: Boards,
  { data, serve, join: invitation }: PeerOptions,
): Promise<Peer> {
  const plane = await openPlane({
    entities: [boards.entity],
    data,
    ...(serve && { listen: [LOCAL] }),
    ...(invitation && { join: invitation }),
    network: serve === true || invitation !== undefined,
  })
  const keys = new Map<string, string>()
  const inFlight: Promise<unknown>[] = []
  return {
    async write(turn) {
      inFlight.push(Promise.all(turn.map((change) => run(boards, plane, keys, change))))
      if (inFlight.length >= IN_FLIGHT) await inFlight.shift()
    },
    settled: async () => void (await Promise.all(inFlight.splice(0))),
    rank: async (id) => {
      const { board, at } = placeOf(id)
      return (await boards.rows(plane, board))[at]?.value.rank
    },
    ranks: async () => {
      const ranks = (await boards.list(plane)).flatMap(({ id, rows }) =>
        rows.map(({ value }, at) => [idAt(id, at), value.rank] as const),
      )
      return new Map(ranks)
    },
    watch(ids, seen) {
      for (const board of new Set(ids.map((id) => placeOf(id).board))) {
        let before: readonly BoardRow[] = []
        boards.subscribe(plane, board, (rows) => {
          for (const [at, { value }] of rows.entries()) {
            if (value !== before[at]?.value) seen(idAt(board, at), value.rank)
          }
          before = rows
        })
      }
    },
    address: () => plane.invite(),
    close: () => plane.close(),
  }
}

/** The network is loaded with the first plane that uses it. */
export async function warmUpBoards({ entity }: Boards, data: string): Promise<void> {
  const plane = await openPlane({ entities: [entity], data: join(data, 'warm'), listen: [LOCAL] })
  await plane.close()
}

const LOCAL = '/ip4/127.0.0.1/tcp/0'

async function run(
  boards: Boards,
  plane: Plane,
  keys: Map<string, string>,
  change: Change,
): Promise<void> {
  const { board, at } = placeOf(change.id)
  if ('row' in change) {
    keys.set(change.id, await boards.create(plane, board, change.row, at))
    return
  }
  const key = keys.get(change.id) ?? (await boards.rows(plane, board))[at]!.key
  keys.set(change.id, key)
  await boards.rank(plane, board, key, change.rank)
}

function placeOf(id: string): { readonly board: string; readonly at: number } {
  const number = Number(id.slice(id.lastIndexOf('-') + 1))
  return { board: `board-${Math.floor(number / LENGTH)}`, at: number % LENGTH }
}

const idAt = (board: string, at: number): string =>
  idOf(Number(board.slice(board.lastIndexOf('-') + 1)) * LENGTH + at)
