import { PeerplaneError, type Crypto, type Random, type Store } from '@peerplane/core'
import { checkedStore } from '@peerplane/crdt-store'

import { seedKey } from '../keys.ts'
import type { Ports } from '../ports.ts'

/**
 * Returns the key of the device to which a store belongs. Only platforms that keep keys in the store use this function. The seed of the key is a
 * record in the store. A new key is stored together with the first membership of the device. Rejects with `store-corrupt` if the record of the key
 * does not contain a seed.
 */
export async function keyInStore(
  store: Store,
  { crypto, random }: { readonly crypto: Crypto; readonly random: Random },
): Promise<Pick<Ports, 'key' | 'keyWrites'>> {
  const stored = await checkedStore(store).get(seedKey)
  if (stored && stored.length !== 32) {
    throw new PeerplaneError('store-corrupt', 'the key of this device cannot be read')
  }
  const seed = stored ?? random.bytes(32)
  const keyWrites = [{ key: seedKey, value: seed }]
  return { key: await crypto.keyFromSeed(seed), keyWrites }
}
