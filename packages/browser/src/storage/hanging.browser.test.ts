import { expect, it } from 'vitest'

import { openIndexedDbStore } from './indexeddb.ts'

let databases = 0

it.each(['get', 'scan', 'scan for the last', 'scan from the last', 'count', 'write'])(
  'a tab that hangs does not keep another tab from opening the store: it hangs in a %s',
  async (call) => {
    const name = `hanging-${++databases}-${performance.now()}`
    const url = new URL('./hanging.fixture.test.ts', import.meta.url)
    const worker = new Worker(url, { type: 'module' })
    try {
      expect(await hanging(worker, { name, call })).toBe('hangs')
      const opening = openIndexedDbStore({ name })
      opening.catch(() => undefined)
      const first = await Promise.race([opening.then(() => 'opened'), later(5_000)])
      expect(first).toBe('opened')
      const store = await opening
      await store.write([{ key: new Uint8Array(1), value: new Uint8Array(1) }], 'synced')
      await store.close()
    } finally {
      worker.terminate()
    }
  },
)

/** The last that the worker says. */
function hanging(worker: Worker, what: { name: string; call: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    worker.onerror = ({ message }) => reject(new Error(message))
    worker.onmessage = ({ data }: MessageEvent<string>) => {
      if (data === 'ready') worker.postMessage(what)
      else resolve(data)
    }
  })
}

const later = (ms: number): Promise<string> =>
  new Promise((resolve) => setTimeout(() => resolve('not opened'), ms))
