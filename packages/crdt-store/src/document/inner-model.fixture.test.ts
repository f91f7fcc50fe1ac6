import type { DocumentShape, EntityState, Json, StateModel } from '@peerplane/core'

import { documentKind } from './model.ts'

/** Opens what a document holds from its creation to its deletion, as a model opens an entity. Its drafts do not tell whether the entity exists. */
export async function innerModel(
  shape: DocumentShape<{ readonly [key: string]: Json }>,
): Promise<StateModel> {
  const { version, load, create } = await documentKind(shape)
  return {
    version,
    open: async (snapshot) =>
      (snapshot ? load(snapshot, undefined) : create(undefined)) as unknown as EntityState,
  }
}
