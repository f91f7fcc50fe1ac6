import { BatchIds } from './batch-ids.ts'
import { Delivery } from './delivery.ts'
import { restoreForks } from './forks.ts'
import { Heads } from './heads.ts'
import { OpenedLog } from './opened-log.ts'
import { checkSpace, orCorrupt, restoreSessions } from './restore.ts'
import { SeenTips } from './seen-tips.ts'
import { signTail } from './tail.ts'
import type { Log, LogOptions } from './log.ts'

/**
 * Opens the log in `store`, or an empty log if the store is empty. Opening a log writes nothing, and reads only a few small records of each session
 * and the commits that wait for a dependency. Rejects with `store-version` if a newer version of Peerplane wrote the store, `wrong-space` if the
 * store belongs to a different space, `store-corrupt`, or another error code of the store.
 */
export async function openLog(options: LogOptions): Promise<Log> {
  const { space, clock, trace } = options
  await checkSpace(options.store, space.id)
  const seen = await SeenTips.load(options.store, space.id, trace)
  const store = seen?.over(options.store) ?? options.store
  const sessions = await orCorrupt(restoreSessions(store, clock))
  await orCorrupt(restoreForks(store, sessions))
  const lost = seen?.beyond(sessions) ?? new Map()
  await orCorrupt(signTail(store, options, sessions, clock))
  const heads = new Heads()
  heads.reset(sessions.values())
  const ids = new BatchIds(store)
  const delivery = new Delivery({ store, sessions, heads, ids, clock, trace })
  await delivery.restore()
  return new OpenedLog({ ...options, store }, { sessions, heads, ids, delivery, lost })
}
