import { counter, type Shape, type ShapeKinds } from '@peerplane/core'
import { expect, test } from 'vitest'

import { registry, type Registry } from './models.ts'

interface FlagShape extends Shape<{ raise(): void }, boolean> {
  readonly initial: boolean
}

interface Wider extends ShapeKinds {
  readonly flag: FlagShape
}

test('a kind of shape that nothing holds does not compile', () => {
  // @ts-expect-error Nothing holds a flag.
  const wider: Registry<Wider> = { ...registry }
  expect(Object.keys(wider)).not.toContain('flag')
  const { lifecycle, rowVersion } = registry.counter
  const load = (): ReturnType<typeof registry.counter.load> => registry.counter.load(counter())
  const held: Registry<Wider> = { ...registry, flag: { lifecycle, rowVersion, load } }
  expect(Object.keys(held)).toContain('flag')
})
