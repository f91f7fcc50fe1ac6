import { counter, entity, type Shape, type ShapeKinds } from '@peerplane/core'
import { expect, test } from 'vitest'

import { loadOnce, registry, type Registry } from './models.ts'

interface OtherShape extends Shape<{ raise(): void }, boolean> {
  readonly initial: boolean
}

interface Wider extends ShapeKinds {
  readonly other: OtherShape
}

const counted = entity('counted', { state: counter(), commands: {} })

test('a kind of shape that nothing holds does not compile', () => {
  // @ts-expect-error Nothing holds the other kind.
  const wider: Registry<Wider> = { ...registry }
  expect(Object.keys(wider)).not.toContain('other')
  const { lifecycle, rowVersion, needsCauses } = registry.counter
  const load = (): ReturnType<typeof registry.counter.load> =>
    registry.counter.load(counter(), counted)
  const held: Registry<Wider> = { ...registry, other: { lifecycle, rowVersion, needsCauses, load } }
  expect(Object.keys(held)).toContain('other')
})

test('a kernel that could not be loaded gives a temporary error, and the next call loads it again', async () => {
  let isOffline = true
  const load = loadOnce(async () => {
    if (isOffline) throw new TypeError('Failed to fetch dynamically imported module')
    return registry.counter.load(counter(), counted)
  })
  await expect(load()).rejects.toMatchObject({ code: 'unreachable', retry: true })
  isOffline = false
  const model = await load()
  expect(await load()).toBe(model)
})
