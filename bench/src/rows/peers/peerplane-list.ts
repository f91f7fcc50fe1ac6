import { join } from 'node:path'

import { entity, list, open as openPlane, record, register, type Plane } from '@peerplane/node'

import type { Change, Peer, PeerOptions, Row } from '../peer.ts'
import { idOf } from '../workload.ts'

/** Turns that may be written and not yet durable. */
const IN_FLIGHT = 8
/** How many rows one list has. */
const LENGTH = 100

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

/** Peerplane through its public API; the rows are elements of lists, in the order in which they are made. */
export async function open({ data, serve, join: invitation }: PeerOptions): Promise<Peer> {
  const plane = await openPlane({
    entities: [Board],
    data,
    ...(serve && { listen: [LOCAL] }),
    ...(invitation && { join: invitation }),
    network: serve === true || invitation !== undefined,
  })
  const keys = new Map<string, string>()
  const inFlight: Promise<unknown>[] = []
  return {
    async write(turn) {
      inFlight.push(Promise.all(turn.map((change) => run(plane, keys, change))))
      if (inFlight.length >= IN_FLIGHT) await inFlight.shift()
    },
    settled: async () => void (await Promise.all(inFlight.splice(0))),
    rank: async (id) => {
      const { board, at } = placeOf(id)
      return (await plane.get(Board, board).state())[at]?.value.rank
    },
    ranks: async () => {
      const boards = await plane.list(Board)
      const ranks = boards.flatMap(({ id, state }) =>
        state.map(({ value }, at) => [idAt(id, at), value.rank] as const),
      )
      return new Map(ranks)
    },
    watch(ids, seen) {
      for (const board of new Set(ids.map((id) => placeOf(id).board))) {
        let before: readonly unknown[] = []
        plane.get(Board, board).subscribe((rows) => {
          for (const [at, row] of rows.entries()) {
            if (row !== before[at]) seen(idAt(board, at), row.value.rank)
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
export async function warmUp(data: string): Promise<void> {
  const plane = await openPlane({ entities: [Board], data: join(data, 'warm'), listen: [LOCAL] })
  await plane.close()
}

const LOCAL = '/ip4/127.0.0.1/tcp/0'

async function run(plane: Plane, keys: Map<string, string>, change: Change): Promise<void> {
  const { board, at } = placeOf(change.id)
  const client = plane.get(Board, board)
  if ('row' in change) {
    keys.set(change.id, (await client.create(change.row)).reply)
    return
  }
  const key = keys.get(change.id) ?? (await client.state())[at]!.key
  keys.set(change.id, key)
  await client.rank({ key, rank: change.rank })
}

function placeOf(id: string): { readonly board: string; readonly at: number } {
  const number = Number(id.slice(id.lastIndexOf('-') + 1))
  return { board: `board-${Math.floor(number / LENGTH)}`, at: number % LENGTH }
}

const idAt = (board: string, at: number): string =>
  idOf(Number(board.slice(board.lastIndexOf('-') + 1)) * LENGTH + at)
