import { checkName } from '@peerplane/core'
import { readStoredSpace, type StoredSpace } from '@peerplane/runtime'

import { databasesOf } from './adapters/databases.ts'
import { browserTabs } from './adapters/tab-environment.ts'
import { inBrowser } from './in-browser.ts'
import { eraseStored, readStored } from './storage/stored.ts'
import { leaderLock, openLobby } from './tabs/channel.ts'

const PREFIX = 'peerplane:'

/** The database of a space. */
export const databaseOf = (space: string): string => `${PREFIX}${space}`

/** Lists all spaces that this browser has stored for this origin, open or not. */
export function spaces(): Promise<readonly StoredSpace[]> {
  return inBrowser('The spaces of this browser could not be listed', async () => {
    const found: StoredSpace[] = []
    for (const database of await databasesOf(PREFIX)) {
      const space = await readStoredSpace(database.slice(PREFIX.length), (use) =>
        readStored(database, use),
      )
      if (space) found.push(space)
    }
    return found
  })
}

/**
 * Leaves a space: erases all data that this browser has stored under the name of the space, including the key and the membership of the device. Data
 * that no other device holds is lost permanently. Other devices keep their data, and are not notified of the erasure. Planes that have the space open
 * in any tab are closed, and their calls reject with `closed`. If no space is stored under `name`, nothing happens.
 *
 * Rejects with `store-failed`, `unsupported` or `invalid-input`.
 */
export async function eraseSpace(name: string): Promise<void> {
  checkName(name, 'a space')
  return inBrowser(`The space "${name}" could not be erased`, async () => {
    const lobby = openLobby(browserTabs, name, () => undefined)
    try {
      lobby.post({ kind: 'erased' })
      // A tab that hangs cannot keep it, and writes nothing when it wakes up.
      await browserTabs.locks.steal(leaderLock(name), () => eraseStored(databaseOf(name)))
    } finally {
      lobby.close()
    }
  })
}
