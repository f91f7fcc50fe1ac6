import { join } from 'node:path'

import { entity, open as openPlane, record, register, type Plane } from '@peerplane/node'

import type { Change, Peer, PeerOptions, Row } from '../peer.ts'

/** Turns that may be written and not yet durable. */
const IN_FLIGHT = 8

const Item = entity('item', {
  state: record({ title: register(''), done: register(false), rank: register(0) }),
  commands: {
    create(item, { title, done, rank }: Row) {
      item.title.set(title)
      item.done.set(done)
      item.rank.set(rank)
    },
    rank: (item, rank: number) => item.rank.set(rank),
  },
})

/** Peerplane through its public API. */
export async function open({ data, serve, join: invitation }: PeerOptions): Promise<Peer> {
  const plane = await openPlane({
    entities: [Item],
    data,
    ...(serve && { listen: [LOCAL] }),
    ...(invitation && { join: invitation }),
    network: serve === true || invitation !== undefined,
  })
  const inFlight: Promise<unknown>[] = []
  return {
    async write(turn) {
      inFlight.push(Promise.all(turn.map((change) => run(plane, change))))
      if (inFlight.length >= IN_FLIGHT) await inFlight.shift()
    },
    settled: async () => void (await Promise.all(inFlight.splice(0))),
    rank: async (id) => (await plane.get(Item, id).state()).rank,
    ranks: async () => new Map((await plane.list(Item)).map(({ id, state }) => [id, state.rank])),
    watch(ids, seen) {
      for (const id of ids) plane.get(Item, id).subscribe(({ rank }) => seen(id, rank))
    },
    address: () => plane.invite(),
    close: () => plane.close(),
  }
}

/** The network is loaded with the first plane that uses it. */
export async function warmUp(data: string): Promise<void> {
  const plane = await openPlane({ entities: [Item], data: join(data, 'warm'), listen: [LOCAL] })
  await plane.close()
}

const LOCAL = '/ip4/127.0.0.1/tcp/0'

const run = (plane: Plane, change: Change): Promise<unknown> =>
  'row' in change
    ? plane.get(Item, change.id).create(change.row)
    : plane.get(Item, change.id).rank(change.rank)
