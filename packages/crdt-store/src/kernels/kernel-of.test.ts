import type { Shape, ShapeKinds } from '@peerplane/core'
import { expect, test } from 'vitest'

import { builders, type Builders } from './kernel-of.ts'

interface Wider extends ShapeKinds {
  readonly other: Shape<{ raise(): void }, boolean>
}

test('a kind of shape without a kernel does not compile', () => {
  // @ts-expect-error The other kind has no kernel.
  const wider: Builders<Wider> = { ...builders }
  expect(Object.keys(wider)).not.toContain('other')
  const built: Builders<Wider> = { ...builders, other: () => builders.set({ kind: 'set' }) }
  expect(Object.keys(built)).toContain('other')
})
