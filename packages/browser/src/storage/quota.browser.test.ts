import { utf8 } from '@peerplane/core'
import { afterEach, expect, it, vi } from 'vitest'

import { openIndexedDbStore } from './indexeddb.ts'

/** A part of this origin's storage with a quota of its own: https://wicg.github.io/storage-buckets/, not yet in the compiler's types. */
interface Buckets {
  open(name: string, options: { quota: number }): Promise<{ readonly indexedDB: IDBFactory }>
}

afterEach(() => {
  vi.unstubAllGlobals()
})

it('a store reports a used-up quota, keeps reading, and writes again when there is room', async () => {
  const { storageBuckets } = navigator as unknown as { readonly storageBuckets: Buckets }
  const bucket = await storageBuckets.open('small', { quota: 5_000_000 })
  vi.stubGlobal('indexedDB', bucket.indexedDB)
  const store = await openIndexedDbStore({ name: 'quota' })
  const write = (i: number): Promise<void> => {
    const value = crypto.getRandomValues(new Uint8Array(65_536))
    return store.write([{ key: utf8(`k${i}`), value }], 'synced')
  }
  const failures: unknown[] = []
  let stored = 0
  while (failures.length === 0 && stored < 400) {
    await write(stored).then(
      () => stored++,
      (error: unknown) => failures.push(error),
    )
  }
  expect(failures).toMatchObject([{ code: 'store-full' }])
  expect(stored).toBeGreaterThan(10)
  const everything = { from: new Uint8Array(0), to: Uint8Array.of(255) }
  const entries = await store.scan(everything)
  expect(entries).toHaveLength(stored)

  await store.write(
    entries.map(({ key }) => ({ key, value: undefined })),
    'synced',
  )
  // The browser finds the room in its own time.
  await expect.poll(() => write(0).then(() => 'stored', String), { timeout: 4_000 }).toBe('stored')
  expect(await store.scan(everything)).toHaveLength(1)
  await store.close()
})
