import type { DeviceId } from '@peerplane/core'
import { createMemoryStore } from '@peerplane/crdt-store'
import { expect, test } from 'vitest'

import { loadKnownDevices } from './membership.ts'

test('devices stay known over restarts', async () => {
  const store = createMemoryStore()
  const [one, other] = ['01', '02'].map((byte) => byte.repeat(32)) as [DeviceId, DeviceId]
  const known = await loadKnownDevices({ store })
  expect(known.has(one)).toBe(false)
  const stored = known.add([one])
  expect(known.has(one)).toBe(true)
  await stored
  const again = await loadKnownDevices({ store })
  expect([again.has(one), again.has(other)]).toEqual([true, false])
})
