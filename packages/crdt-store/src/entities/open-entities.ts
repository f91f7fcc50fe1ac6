import { PeerplaneError } from '@peerplane/core'

import { dropAll, dropOutdated } from './drop-outdated.ts'
import { FoldedEntities } from './folded-entities.ts'
import { FoldedFrontier } from './folded-frontier.ts'
import { Tally } from './tally.ts'
import type { Entities, EntitiesOptions } from './entities.ts'

/**
 * Opens the entities in `options.store`. If declared types have changed, or if derived records in the store are damaged or missing, `folded` is empty
 * after opening, and the whole log must be folded again.
 */
export async function openEntities(options: EntitiesOptions): Promise<Entities> {
  try {
    return await openStored(options)
  } catch (error) {
    if (!(error instanceof PeerplaneError && error.code === 'store-corrupt')) throw error
    options.trace?.('rows.discarded', { why: 'damaged' })
    await dropAll(options.store, options.models)
    return openStored(options)
  }
}

async function openStored(options: EntitiesOptions): Promise<Entities> {
  const first = await dropOutdated(options)
  const folded = await FoldedFrontier.load(options.store, first)
  const tally = await Tally.load(options.store, folded.storedSessions)
  return new FoldedEntities(options, folded, tally)
}
