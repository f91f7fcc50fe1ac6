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

/** A space that is stored on this device, open or not. */
export interface StoredSpace {
  /** The name under which it is opened. */
  readonly name: string
  /** `undefined` when that cannot be read. */
  readonly space: SpaceId | undefined
  /** Whether others are or may be members: this device was invited, or has invited. `undefined` when that cannot be read. */
  readonly shared: boolean | undefined
  /** Why it cannot be opened or read. */
  readonly problem: Problem | undefined
}

/** A store, and the device and space that it belongs to. */
export interface ReadableStore {
  /** It is read only. */
  readonly store: Store
  /** Of the key in the store; `undefined` if there is none. */
  readonly device: string | undefined
}

/** Describes the space in the store that `read` reads; `undefined` if none was founded or joined in it. Never rejects. */
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
