import { compareTexts, encodeCanonical, equalBytes, type Write } from '@peerplane/core'

import type { ClearableStore } from '../storage/checked-store.ts'
import type { DeclaredModel, EntitiesOptions } from './entities.ts'
import { allKeys, modelsKey } from './keys.ts'

/** Version of rows, snapshots and waiting bodies as this folder stores them; a new one also whenever more extensions are understood. */
const FORMAT_VERSION = 8

/**
 * Deletes everything that was made for declared types that differ from `models`, or for other versions of them: what was not folded then is
 * missing in it. The log has all of it still. Where there is nothing, nothing is written: the result is to be stored with the first rows.
 */
export async function dropOutdated({
  store,
  models,
  trace,
}: Pick<EntitiesOptions, 'store' | 'models' | 'trace'>): Promise<readonly Write[]> {
  const [any] = await store.scan({ ...allKeys, limit: 1 })
  if (!any) return [modelsWrite(models)]
  const stored = await store.get(modelsKey)
  if (!stored || !equalBytes(stored, encodeModels(models))) {
    trace?.('rows.discarded', { why: 'outdated' })
    await dropAll(store, models)
  }
  return []
}

/** Deletes everything that was made from the log, damaged or not. */
export async function dropAll(
  store: ClearableStore,
  models: ReadonlyMap<string, DeclaredModel>,
): Promise<void> {
  // The record of the models goes first: after a crash on the way, the next start begins again.
  await store.write([{ key: modelsKey, value: undefined }], 'local')
  await store.clear(allKeys)
  await store.write([modelsWrite(models)], 'local')
}

const modelsWrite = (models: ReadonlyMap<string, DeclaredModel>): Write => ({
  key: modelsKey,
  value: encodeModels(models),
})

function encodeModels(models: ReadonlyMap<string, DeclaredModel>): Uint8Array {
  const signatures = [...models].map(([type, { signature }]) => [type, signature] as const)
  signatures.sort(([a], [b]) => compareTexts(a, b))
  return encodeCanonical([FORMAT_VERSION, signatures])
}
