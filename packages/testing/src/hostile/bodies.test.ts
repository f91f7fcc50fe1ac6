import {
  splitEntityKey,
  type Body,
  type DeviceId,
  type EntityKey,
  type Section,
  type SessionId,
} from '@peerplane/core'
import { bodyAt } from '@peerplane/core/testing'
import { nativeModel } from '@peerplane/crdt-store'
import { expect, test } from 'vitest'

import { campaignEntities } from '../campaign/entities.ts'
import { SimRandom } from '../world/random.ts'
import { idle, oddSection, traceSection, wildSection } from './bodies.ts'

const random = new SimRandom('1')
const tally = 'tally/a' as EntityKey

/** Whether the body of a section is void. */
async function isVoid({ entity, body: bytes }: Section): Promise<boolean> {
  const { type } = splitEntityKey(entity)
  const declared = campaignEntities(() => undefined).find((each) => each.type === type)!
  const state = await nativeModel(declared.state).open(undefined)
  const origin: Body['origin'] = {
    device: '11'.repeat(32) as DeviceId,
    session: '22'.repeat(16) as SessionId,
    seq: 1,
    time: { ms: 1, counter: 0 },
  }
  return state.fold([bodyAt(origin, bytes)]).length > 0
}

// A void body tests nothing but that it is void.
test('the bodies of hostile members break no rule, unless they are made to break one', async () => {
  const many = <T>(make: () => T): T[] => Array.from({ length: 50 }, make)
  for (const section of [...many(() => wildSection(random)), ...many(() => oddSection(random))]) {
    expect(await isVoid(section)).toBe(false)
  }
  expect(await isVoid(traceSection(tally, 'trace'))).toBe(false)
  const tips = [{ session: '33'.repeat(16) as SessionId, seq: 3, mark: new Uint8Array(16) }]
  for (const [name, make] of Object.entries(idle)) {
    const voids = await Promise.all(make(tally, random, tips as never).map(isVoid))
    expect([name, voids.includes(true)]).toEqual([name, name === 'void' || name === 'bytes'])
  }
})
