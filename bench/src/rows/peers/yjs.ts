import { join } from 'node:path'

import { LeveldbPersistence } from 'y-leveldb'
import * as Y from 'yjs'

import type { Peer, PeerOptions } from '../peer.ts'
import { openDiy, type Journal } from './diy.ts'
import { yjsEngine } from './yjs-engine.ts'

const NAME = 'rows'

/** Yjs with y-leveldb, which stores each update as it comes. */
export const open = (options: PeerOptions): Promise<Peer> =>
  openDiy(yjsEngine(), leveldbJournal(options.data), options)

function leveldbJournal(data: string): Journal {
  const persistence = new LeveldbPersistence(join(data, 'leveldb'))
  return {
    read: async () => [Y.encodeStateAsUpdate(await persistence.getYDoc(NAME))],
    async append(records) {
      await Promise.all(records.map((record) => persistence.storeUpdate(NAME, record)))
    },
    close: () => persistence.destroy(),
  }
}
