import {
  PeerplaneError,
  type Fields,
  type Shape,
  type ShapeKinds,
  type WholeKind,
} from '@peerplane/core'

import { counterKernel } from './counter.ts'
import type { Kernel } from './kernel.ts'
import { listKernel } from './list/list.ts'
import { mapKernel } from './map.ts'
import { recordKernel } from './record.ts'
import { registerKernel } from './register.ts'
import { setKernel } from './set.ts'

/** How the kernel of each native kind is built. */
export type Builders<Kinds> = {
  readonly [Kind in Exclude<keyof Kinds, WholeKind>]: (shape: Kinds[Kind]) => Kernel
}

/** The native kernels: a kind without one does not compile. */
export const builders: Builders<ShapeKinds> = {
  counter: () => counterKernel,
  register: ({ initial }) => registerKernel(initial),
  set: () => setKernel,
  map: ({ value, wins = 'update' }) => mapKernel(kernelOf(value), wins),
  list: ({ item, wins = 'update' }) => listKernel(kernelOf(item), wins),
  record: ({ fields }) => recordKernel(kernelsOf(fields)),
}

/** The kernel of a shape. Throws `invalid-declaration` if the shape, or a part of it, has no kernel. */
export function kernelOf(shape: Shape): Kernel {
  const { kind } = shape
  if (!Object.hasOwn(builders, kind)) {
    throw new PeerplaneError('invalid-declaration', `no native kernel holds a "${kind}"`)
  }
  return builders[kind as keyof typeof builders](shape as never)
}

const kernelsOf = (fields: Fields): ReadonlyMap<string, Kernel> =>
  new Map(Object.entries(fields).map(([name, shape]) => [name, kernelOf(shape)]))
