import type { SigningKey } from '@peerplane/core'
import { generateKeyPair, signingKeyOf } from '@peerplane/runtime'

import { createConnection } from './connection.ts'
import { indexedDbError } from './indexeddb-errors.ts'

/**
 * The key of this browser profile for `name`, made at the first call. Its secret half never leaves the browser: scripts can sign with it,
 * none can read it. Tabs that call at the same time get the same key. Rejects with `unsupported` or the codes of a store.
 */
export async function openIdentity(name: string): Promise<SigningKey> {
  const connection = createConnection(`${name}-identity`, 1, (database) =>
    database.createObjectStore(KEYS),
  )
  try {
    const known = await connection.use((database) => database.get(KEYS, DEVICE))
    if (known) return await signingKeyOf(known as CryptoKeyPair)
    // Made before the transaction, which would not wait for it.
    const fresh = await generateKeyPair()
    const { store, done } = await connection.transaction(KEYS, 'strict')
    const pair = ((await store.get(DEVICE)) as CryptoKeyPair | undefined) ?? fresh
    if (pair === fresh) await store.put(fresh, DEVICE)
    await done
    return await signingKeyOf(pair)
  } catch (cause) {
    throw indexedDbError(cause, 'The identity of this browser could not be kept')
  } finally {
    connection.close()
  }
}

const KEYS = 'keys'
const DEVICE = 'device'
