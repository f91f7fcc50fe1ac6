import {
  PeerplaneError,
  type Fields,
  type Json,
  type MapShape,
  type RecordShape,
  type RegisterShape,
  type Shape,
} from '@peerplane/core'

import { counterKernel } from './counter.ts'
import type { Kernel } from './kernel.ts'
import { mapKernel } from './map.ts'
import { recordKernel } from './record.ts'
import { registerKernel } from './register.ts'
import { setKernel } from './set.ts'

const builders: ReadonlyMap<string, (shape: Shape) => Kernel> = new Map<
  string,
  (shape: Shape) => Kernel
>([
  ['counter', () => counterKernel],
  ['register', (shape) => registerKernel((shape as RegisterShape<Json>).initial)],
  ['set', () => setKernel],
  ['map', (shape) => mapKernel(kernelOf((shape as MapShape<Shape>).value))],
  ['record', (shape) => recordKernel(kernelsOf((shape as RecordShape<Fields>).fields))],
])

/** The kernel of a shape. Throws `invalid-declaration` where the shape, or a part of it, has none. */
export function kernelOf(shape: Shape): Kernel {
  const build = builders.get(shape.kind)
  if (!build) {
    throw new PeerplaneError('invalid-declaration', `no native kernel holds a "${shape.kind}"`)
  }
  return build(shape)
}

const kernelsOf = (fields: Fields): ReadonlyMap<string, Kernel> =>
  new Map(Object.entries(fields).map(([name, shape]) => [name, kernelOf(shape)]))
