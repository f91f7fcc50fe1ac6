import { LoroDoc, LoroMap } from 'loro-crdt'

import type { Peer, PeerOptions } from '../peer.ts'
import { openDiy, type Engine } from './diy.ts'
import { openSqliteJournal } from './sqlite-journal.ts'

/** Loro, with the storage and network that it leaves to the application. */
export const open = (options: PeerOptions): Promise<Peer> =>
  openDiy(loroEngine(), openSqliteJournal(options.data), options)

function loroEngine(): Engine {
  const doc = new LoroDoc()
  const rows = doc.getMap('rows')
  const updates: Uint8Array[] = []
  let seen: ((id: string, rank: number) => void) | undefined
  doc.subscribeLocalUpdates((update) => void updates.push(update))
  const rowOf = (id: string): LoroMap => rows.get(id) as LoroMap
  return {
    write(turn) {
      for (const change of turn) {
        if ('row' in change) {
          const row = rows.setContainer(change.id, new LoroMap())
          for (const [name, value] of Object.entries(change.row)) row.set(name, value)
        } else rowOf(change.id).set('rank', change.rank)
        doc.commit()
      }
      return updates.splice(0)
    },
    apply(records) {
      if (records.length === 1) doc.import(records[0]!)
      else if (records.length > 1) doc.importBatch([...records])
    },
    rank: (id) => (rows.get(id) as LoroMap | undefined)?.get('rank') as number | undefined,
    ranks: () =>
      new Map(
        Object.entries(rows.toJSON() as Record<string, { rank: number }>).map(([id, { rank }]) => [
          id,
          rank,
        ]),
      ),
    onRank(callback) {
      if (!seen) doc.subscribe(({ events }) => events.forEach(({ path }) => tell(path[1])))
      seen = callback
    },
    catchUp: () => [doc.export({ mode: 'update' })],
  }

  function tell(id: unknown): void {
    if (typeof id === 'string') seen!(id, rowOf(id).get('rank') as number)
  }
}
