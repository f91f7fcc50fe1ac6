// A worker that writes to a store until it is terminated: batch after batch, each over the one before it.
import { utf8 } from '@peerplane/core'

import { openIndexedDbStore } from './indexeddb.ts'

const { name, from } = await new Promise<{ name: string; from: number }>((resolve) => {
  addEventListener('message', ({ data }) => resolve(data as { name: string; from: number }))
  postMessage('ready')
})
const store = await openIndexedDbStore({ name })
for (let i = from; ; i++) {
  const writes = Array.from({ length: 40 }, (_, k) => ({
    key: utf8(`k${k}`),
    value: utf8(String(i).padEnd(3_000)),
  }))
  await store.write(writes, i % 2 === 0 ? 'local' : 'synced')
  postMessage(i)
}
