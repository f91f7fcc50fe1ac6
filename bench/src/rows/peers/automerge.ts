import * as A from '@automerge/automerge'

import type { Peer, PeerOptions } from '../peer.ts'
import { openDiy, type Engine } from './diy.ts'
import { openSqliteJournal } from './sqlite-journal.ts'

/** Automerge, a document per row, with the storage and network that it leaves to the application. */
export const open = (options: PeerOptions): Promise<Peer> =>
  openDiy(automergeEngine(), openSqliteJournal(options.data), options)

interface Fields extends Record<string, unknown> {
  title: string
  done: boolean
  rank: number
}

function automergeEngine(): Engine {
  const docs = new Map<string, A.Doc<Fields>>()
  let seen: ((id: string, rank: number) => void) | undefined
  return {
    write: (turn) =>
      turn.map((change) => {
        const doc =
          'row' in change
            ? A.from<Fields>({ ...change.row })
            : A.change(docs.get(change.id)!, (fields) => {
                fields.rank = change.rank
              })
        docs.set(change.id, doc)
        return named(change.id, A.getLastLocalChange(doc)!)
      }),
    apply(records) {
      for (const [id, changes] of changesById(records)) {
        const [doc] = A.applyChanges(docs.get(id) ?? A.init<Fields>(), changes)
        docs.set(id, doc)
        seen?.(id, doc.rank)
      }
    },
    rank: (id) => docs.get(id)?.rank,
    ranks: () => new Map([...docs].map(([id, { rank }]) => [id, rank])),
    onRank: (callback) => void (seen = callback),
  }
}

/** A change after the length of its id and the id. */
const named = (id: string, change: Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.of(id.length), Buffer.from(id, 'latin1'), change])

function changesById(records: readonly Uint8Array[]): Map<string, Uint8Array[]> {
  const changes = new Map<string, Uint8Array[]>()
  for (const record of records) {
    const end = 1 + record[0]!
    const id = Buffer.from(record.subarray(1, end)).toString('latin1')
    const ofId = changes.get(id) ?? []
    ofId.push(record.subarray(end))
    changes.set(id, ofId)
  }
  return changes
}
