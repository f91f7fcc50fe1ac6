import {
  PeerplaneError,
  type Fields,
  type Shape,
  type ShapeKinds,
  type WholeKind,
} from '@peerplane/core'

import { counterKernel } from './counter.ts'
import { flagKernel } from './flag.ts'
import { growOnlyCounterKernel } from './grow-only-counter.ts'
import { growOnlySetKernel } from './grow-only-set.ts'
import type { Kernel } from './kernel.ts'
import { listKernel } from './list/list.ts'
import { mapKernel } from './map.ts'
import { multiValueRegisterKernel } from './multi-value-register.ts'
import { recordKernel } from './record.ts'
import { registerKernel } from './register.ts'
import { setKernel } from './set.ts'
import { textKernel } from './text/text.ts'
import { voteKernel } from './vote.ts'
import { treeKernel } from './tree/tree.ts'

/** How the kernel of each native kind is built. */
export type Builders<Kinds> = {
  readonly [Kind in Exclude<keyof Kinds, WholeKind>]: (shape: Kinds[Kind]) => Kernel
}

/** The native kernels: a kind without one does not compile. */
export const builders: Builders<ShapeKinds> = {
  counter: () => counterKernel,
  'grow-only-counter': () => growOnlyCounterKernel,
  register: ({ initial, clock }) => registerKernel(initial, clock),
  'multi-value-register': ({ initial }) => multiValueRegisterKernel(initial),
  flag: ({ wins = 'enable' }) => flagKernel(wins),
  vote: () => voteKernel,
  set: () => setKernel,
  'grow-only-set': () => growOnlySetKernel,
  map: ({ value, wins = 'update' }) => mapKernel(kernelOf(value), wins),
  list: ({ item, wins = 'update' }) => listKernel(kernelOf(item), wins),
  text: () => textKernel,
  tree: ({ node, wins = 'update' }) => treeKernel(kernelOf(node), wins),
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
