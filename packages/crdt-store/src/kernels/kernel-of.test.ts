import type { Shape, ShapeKinds } from '@peerplane/core'
import { expect, test } from 'vitest'

import { builders, type Builders } from './kernel-of.ts'

interface Wider extends ShapeKinds {
  readonly flag: Shape<{ raise(): void }, boolean>
}

test('a kind of shape without a kernel does not compile', () => {
  // @ts-expect-error A flag has no kernel.
  const wider: Builders<Wider> = { ...builders }
  expect(Object.keys(wider)).not.toContain('flag')
  const built: Builders<Wider> = { ...builders, flag: () => builders.set({ kind: 'set' }) }
  expect(Object.keys(built)).toContain('flag')
})
