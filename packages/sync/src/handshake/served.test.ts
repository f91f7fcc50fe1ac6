import { createSpace, encodeCanonical, hash, type DeviceId, type Space } from '@peerplane/core'
import { expect, test } from 'vitest'

import { randomFrom } from '../testing/devices.fixture.test.ts'
import { selectorOf, Served } from './served.ts'

const spaceOf = (name: string): Space => {
  const creator = Buffer.from(hash('seed', encodeCanonical(name))).toString('hex') as DeviceId
  return createSpace(creator, 'member', randomFrom(name))
}

test('each of many spaces is found by its selector, and no other one', () => {
  const all = Array.from({ length: 300 }, (_, n) => ({ space: spaceOf(`space ${n}`) }))
  const served = new Served('a', ...all)
  for (const each of all) expect(served.find(selectorOf(each.space, 'a'))).toBe(each)
  expect(served.find(selectorOf(spaceOf('another'), 'a'))).toBeUndefined()
  // The selector that a space has at another network id says nothing here.
  for (const { space } of all) expect(served.find(selectorOf(space, 'b'))).toBeUndefined()
})

test('two spaces with one secret are two', () => {
  const [one, other] = [spaceOf('one'), spaceOf('other')]
  const twin = { ...other, secret: one.secret }
  const served = new Served('a', { space: one }, { space: twin })
  expect(served.find(selectorOf(one, 'a'))?.space).toBe(one)
  expect(served.find(selectorOf(twin, 'a'))?.space).toBe(twin)
})
