import * as Y from 'yjs'

import type { Engine } from './diy.ts'

/** Yjs: one document, a map per entity, an update per transaction. */
export function yjsEngine(): Engine {
  const doc = new Y.Doc()
  const rows = doc.getMap<Y.Map<unknown>>('rows')
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array, origin: unknown) => {
    if (origin !== REMOTE) updates.push(update)
  })
  const rankOf = (row: Y.Map<unknown>): number => row.get('rank') as number
  return {
    write(turn) {
      for (const change of turn) {
        doc.transact(() => {
          if ('row' in change) rows.set(change.id, new Y.Map(Object.entries(change.row)))
          else rows.get(change.id)!.set('rank', change.rank)
        })
      }
      return updates.splice(0)
    },
    apply(records) {
      if (records.length === 0) return
      doc.transact(() => records.forEach((record) => Y.applyUpdate(doc, record, REMOTE)), REMOTE)
    },
    rank: (id) => rows.get(id)?.get('rank') as number | undefined,
    ranks: () => new Map([...rows].map(([id, row]) => [id, rankOf(row)])),
    onRank(seen) {
      rows.observeDeep((events) => {
        for (const { path, keys } of events) {
          // A new row is a key of the map of rows.
          for (const id of path.length > 0 ? [String(path[0])] : keys.keys()) {
            const row = rows.get(id)
            if (row) seen(id, rankOf(row))
          }
        }
      })
    },
    catchUp: () => [Y.encodeStateAsUpdate(doc)],
  }
}

const REMOTE = 'remote'
