import type { Entity } from '@peerplane/core'
import { createMemoryStore } from '@peerplane/crdt-store'

import { systemPlatform } from '../adapters/platform.ts'
import type { LocalBackend } from '../contract/backend.ts'
import type { Report } from '../ports.ts'
import type { Plane } from '../plane/plane.ts'
import { openRuntime } from '../runtime.ts'

/**
 * Opens a plane on an empty store, in the way that is tested; the caller closes it. `report` takes what listeners throw.
 */
export type OpenPlane = (entities: readonly Entity[], report?: Report) => Promise<Plane>

/** A runtime with a store in memory and without a network. */
export async function openAlone(entities: readonly Entity[]): Promise<LocalBackend> {
  const platform = systemPlatform()
  const key = await platform.crypto.keyFromSeed(platform.random.bytes(32))
  return openRuntime({ ...platform, key, store: createMemoryStore() }, { entities })
}
