import { fromUtf8, utf8 } from '@peerplane/core'
import type { Store } from '@peerplane/core'
import { storeContract, storeFailureContract } from '@peerplane/core/testing'
import { deleteDB, openDB } from 'idb'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { openIndexedDbStore } from './indexeddb.ts'

const opened: Store[] = []
let databases = 0
const freshName = (): string => `store-${++databases}-${performance.now()}`

afterEach(async () => {
  vi.restoreAllMocks()
  await Promise.all(opened.splice(0).map((store) => store.close()))
})

async function open(name: string, completing = false): Promise<Store> {
  const store = await openIndexedDbStore({ name, completing })
  opened.push(store)
  return store
}

storeContract('IndexedDB', async () => {
  const name = freshName()
  return { store: await openIndexedDbStore({ name }), reopen: () => openIndexedDbStore({ name }) }
})

storeFailureContract('IndexedDB', async () => {
  const name = freshName()
  return {
    store: await openIndexedDbStore({ name }),
    reopen: () => openIndexedDbStore({ name }),
    fail: (write) => {
      abortNext()
      return write()
    },
  }
})

const put = (key: string, value: string) => ({ key: utf8(key), value: utf8(value) })
const everything = { from: new Uint8Array(0), to: Uint8Array.of(255) }

/** The read-write transactions begun from here on. */
function watchTransactions(): readonly IDBTransaction[] {
  const begin = vi.spyOn(IDBDatabase.prototype, 'transaction')
  const seen: IDBTransaction[] = []
  begin.mockImplementation(function (this: IDBDatabase, ...args) {
    const transaction = original.apply(this, args)
    if (transaction.mode === 'readwrite') seen.push(transaction)
    return transaction
  })
  return seen
}

/** The next transaction is aborted with all its requests where it would be committed. */
function abortNext(): void {
  const commit = vi.spyOn(IDBTransaction.prototype, 'commit')
  commit.mockImplementationOnce(function (this: IDBTransaction) {
    this.abort()
    commit.mockRestore()
  })
}
// eslint-disable-next-line typescript/unbound-method
const original = IDBDatabase.prototype.transaction

describe('transactions', () => {
  it('are strict for synced writes and relaxed for local ones, as the browser reports them', async () => {
    const store = await open(freshName())
    const seen = watchTransactions()
    await store.write([put('a', '1')], 'synced')
    await store.write([put('b', '1')], 'local')
    await Promise.all([
      store.write([put('c', '1')], 'local'),
      store.write([put('d', '1')], 'synced'),
    ])
    expect(seen.map(({ durability }) => durability)).toEqual(['strict', 'relaxed', 'strict'])
  })

  it('are shared by the writes of one turn of the event loop, and by those that come while a transaction is running', async () => {
    const store = await open(freshName())
    const seen = watchTransactions()
    const first = store.write([put('a', '1')], 'synced')
    await new Promise((resolve) => setTimeout(resolve))
    const rest = Array.from({ length: 20 }, (_, i) => store.write([put(`${i}`, '1')], 'synced'))
    await Promise.all([first, ...rest])
    expect(seen.length).toBeLessThanOrEqual(2)
    expect(await store.scan(everything)).toHaveLength(21)
  })

  it('a browser without strict durability is refused', async () => {
    const store = await open(freshName())
    vi.spyOn(IDBTransaction.prototype, 'durability', 'get').mockReturnValue('default')
    await expect(store.write([put('a', '1')], 'synced')).rejects.toMatchObject({
      code: 'unsupported',
    })
    vi.restoreAllMocks()
    expect(await store.scan(everything)).toEqual([])
  })

  it('reject when they are aborted, and the next one works', async () => {
    const store = await open(freshName())
    abortNext()
    const aborted = store.write([put('a', '1')], 'synced')
    await expect(aborted).rejects.toMatchObject({ code: 'store-failed' })
    await store.write([put('b', '1')], 'synced')
    expect((await store.scan(everything)).map(({ key }) => key)).toEqual([utf8('b')])
  })
})

describe('connections', () => {
  it('are opened again when the browser has closed them', async () => {
    const name = freshName()
    const store = await open(name)
    const seen = watchTransactions()
    await store.write([put('a', '1')], 'synced')
    seen[0]!.db.close()
    await store.write([put('b', '1')], 'synced')
    seen[1]!.db.close()
    expect(await store.get(utf8('a'))).toEqual(utf8('1'))
    expect(await store.scan(everything)).toHaveLength(2)
  })

  it('make way for a newer version, which is then named', async () => {
    const name = freshName()
    const store = await open(name)
    const newer = await openDB(name, 2)
    await expect(store.write([put('a', '1')], 'synced')).rejects.toMatchObject({
      code: 'store-version',
    })
    await expect(openIndexedDbStore({ name })).rejects.toMatchObject({ code: 'store-version' })
    newer.close()
  })

  it('write nothing once another tab has opened the database, and learn it', async () => {
    const name = freshName()
    const taken = vi.fn<() => void>()
    const first = await openIndexedDbStore({ name, taken })
    opened.push(first)
    await first.write([put('a', '1')], 'synced')
    const second = await open(name)
    await expect(first.write([put('b', '1')], 'synced')).rejects.toMatchObject({
      code: 'store-locked',
    })
    expect(taken).toHaveBeenCalledTimes(1)
    await second.write([put('c', '1')], 'synced')
    expect((await second.scan(everything)).map(({ key }) => key)).toEqual([utf8('a'), utf8('c')])
  })

  it('a connection does not prevent the deletion of its database, and acknowledges no write after the deletion', async () => {
    const name = freshName()
    const lost = vi.fn<() => void>()
    const store = await openIndexedDbStore({ name, onLost: lost })
    opened.push(store)
    await store.write([put('a', '1')], 'synced')
    await deleteDB(name)
    for (const call of [store.get(utf8('a')), store.write([put('b', '1')], 'synced')]) {
      await expect(call).rejects.toMatchObject({ code: 'storage-lost' })
    }
    expect(lost).toHaveBeenCalledTimes(1)
    expect((await indexedDB.databases()).map((each) => each.name)).not.toContain(name)
  })

  it('acknowledge nothing in a database that was cleared, and keep nothing of it for the next opening', async () => {
    const name = freshName()
    const store = await open(name)
    await store.write([put('a', '1')], 'synced')
    const database = await openDB(name)
    await database.clear('pairs')
    await expect(store.write([put('b', '1')], 'synced')).rejects.toMatchObject({
      code: 'storage-lost',
    })
    database.close()
    await store.close()
    await expect(openIndexedDbStore({ name })).rejects.toMatchObject({ code: 'storage-lost' })
    expect(await (await open(name, true)).scan(everything)).toEqual([])
  })
})

it('holds all that was acknowledged and no half batch after its worker was terminated in the middle of writes', async () => {
  const name = freshName()
  let last = -1
  for (let life = 0; life < 4; life++) {
    const told = await writeUntilTerminated(name, last + 1, 8 + 9 * life)
    const store = await open(name)
    const entries = await store.scan(everything)
    await store.close()
    const found = new Set(entries.map(({ value }) => Number(fromUtf8(value))))
    expect(entries).toHaveLength(40)
    expect(found.size).toBe(1)
    const [kept] = found
    expect(kept).toBeGreaterThanOrEqual(told)
    last = kept!
  }
})

/** Terminates a writing worker after `count` acknowledgements. Resolves with the last number that was acknowledged. */
function writeUntilTerminated(name: string, from: number, count: number): Promise<number> {
  const url = new URL('./indexeddb-writer.fixture.test.ts', import.meta.url)
  const worker = new Worker(url, { type: 'module' })
  let told = 0
  return new Promise((resolve, reject) => {
    worker.onerror = ({ message }) => reject(new Error(message))
    worker.onmessage = ({ data }: MessageEvent<number | 'ready'>) => {
      if (data === 'ready') worker.postMessage({ name, from })
      else if (++told === count) {
        worker.terminate()
        resolve(data)
      }
    }
  })
}
