import { retryContract, rootLineage } from '@peerplane/core/testing'
import type { EntityKey, Origin } from '@peerplane/core'
import { vi } from 'vitest'

import { clearRange } from '../storage/checked-store.ts'
import { createMemoryStore } from '../storage/memory-store.ts'
import {
  commitOf,
  deviceOf,
  models,
  remoteBody,
  sectionOf,
  sessionId,
} from './held-log.fixture.test.ts'
import { rowKey } from './keys.ts'
import { openEntities } from './open-entities.ts'

retryContract('writing rows', { by: 'itself' }, async ({ time, attempt }) => {
  const inner = createMemoryStore()
  const store = {
    ...inner,
    write: async (...[writes, durability]: Parameters<typeof inner.write>) => {
      attempt()
      await inner.write(writes, durability)
    },
    clear: (range: Parameters<typeof clearRange>[1]) => clearRange(inner, range),
  }
  const entities = await openEntities({
    store,
    models,
    scheduler: time.scheduler,
    deviceOf,
    lineageOf: () => rootLineage,
    isUnderstood: () => true,
    settled: async () => undefined,
  })
  const change = async (seq: number, key: string): Promise<void> => {
    const session = sessionId(1)
    const at = { ms: seq, counter: 0 }
    const origin: Origin = { device: deviceOf(session), session, seq, time: at }
    const body = await remoteBody(origin, (handle) => handle.title.set(`${seq}`))
    await entities.fold([commitOf(origin, [sectionOf(key as EntityKey, body)])])
  }
  return {
    begin: () => void change(1, 'row/a'),
    later: async () => {
      await change(2, 'row/b')
      await vi.waitFor(async () => {
        for (const key of ['row/a', 'row/b']) {
          if (!(await inner.get(rowKey(key as EntityKey)))) throw new Error(`${key} is not written`)
        }
      })
    },
    close: () => entities.close(),
  }
})
