import type { Peer, PeerOptions } from '../peer.ts'
import { openDiy } from './diy.ts'
import { openSqliteJournal } from './sqlite-journal.ts'
import { yjsEngine } from './yjs-engine.ts'

/** Yjs, each update logged in SQLite. */
export const open = (options: PeerOptions): Promise<Peer> =>
  openDiy(yjsEngine(), openSqliteJournal(options.data), options)
