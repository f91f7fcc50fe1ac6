import {
  asPeerplaneError,
  equalBytes,
  PeerplaneError,
  type SpaceId,
  type Store,
} from '@peerplane/core'
import { checkedStore, foundedAside } from '@peerplane/crdt-store'

import type { Problem } from '../contract/status.ts'
import { membershipKey } from '../keys.ts'
import { heldDevice } from './membership.ts'

/** A space that is stored on this device, whether it is open or not. */
export interface StoredSpace {
  /** The name under which the space is opened. */
  readonly name: string
  /** The id of the space, or `undefined` if the id cannot be read. */
  readonly space: SpaceId | undefined
  /**
   * Whether other devices are, or may be, members of the space, because this device was invited or has made an invitation. The value of `shared` is
   * `undefined` if the store cannot be read.
   */
  readonly shared: boolean | undefined
  /** The reason why the space cannot be opened or read, or `undefined` if there is no problem. */
  readonly problem: Problem | undefined
}

/** A store to read from, and the device to which it belongs. */
export interface ReadableStore {
  /** The store, to which nothing is written. */
  readonly store: Store
  /** The id of the device whose key is in the store, or `undefined` if the store has no key. */
  readonly device: string | undefined
}

/**
 * Describes a stored space. The function `read` opens the store of the space for reading. Resolves with `undefined` if the store contains no space.
 * Never rejects.
 */
export async function readStoredSpace(
  name: string,
  read: <Result>(use: (store: ReadableStore) => Promise<Result>) => Promise<Result>,
): Promise<StoredSpace | undefined> {
  try {
    return await read((store) => describe(name, store))
  } catch (error) {
    return { name, space: undefined, shared: undefined, problem: problemOf(error) }
  }
}

async function describe(name: string, stored: ReadableStore): Promise<StoredSpace | undefined> {
  const store = checkedStore(stored.store)
  const aside = await foundedAside(store, [membershipKey])
  const get = async (key: Uint8Array): Promise<Uint8Array | undefined> =>
    (await store.get(key)) ?? aside.find((write) => equalBytes(write.key, key))?.value
  const { space, membership, lack } = await heldDevice({ ...store, get }, stored.device)
  if (space === undefined) return undefined
  const lost = lack === undefined ? undefined : new PeerplaneError('storage-lost', lack)
  return { name, space, shared: membership?.shared, problem: lost && problemOf(lost) }
}

function problemOf(error: unknown): Problem {
  const { code, message } = asPeerplaneError(error, 'store-failed')
  return { code, message }
}
