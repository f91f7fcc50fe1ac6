// A worker that hangs for good in the middle of a call to its store: at the end of the task that sends the first request to the database.
import { utf8, type Store } from '@peerplane/core'

import { openIndexedDbStore } from './indexeddb.ts'

const key = utf8('key')
const range = { from: utf8('a'), to: utf8('z') }

/** The calls of a store by name. */
const calls: Readonly<Record<string, (store: Store) => Promise<unknown>>> = {
  get: (store) => store.get(key),
  scan: (store) => store.scan(range),
  'scan for the last': (store) => store.scan({ ...range, limit: 1, reverse: true }),
  'scan from the last': (store) => store.scan({ ...range, reverse: true }),
  count: (store) => store.count(range),
  write: (store) => store.write([{ key, value: key }], 'synced'),
}

const { name, call } = await new Promise<{ name: string; call: string }>((resolve) => {
  addEventListener('message', ({ data }) => resolve(data as { name: string; call: string }))
  postMessage('ready')
})
const store = await openIndexedDbStore({ name })
await store.write([{ key, value: key }], 'synced')
const begin = Object.getOwnPropertyDescriptor(IDBDatabase.prototype, 'transaction')!
IDBDatabase.prototype.transaction = function (this: IDBDatabase, ...given) {
  queueMicrotask(() => {
    postMessage('hangs')
    for (;;);
  })
  return (begin.value as IDBDatabase['transaction']).apply(this, given)
}
await calls[call]!(store)
postMessage('done')
