import { FoldedAsDelivered } from './folded-as-delivered.ts'
import { FoldedWhenOpened } from './folded-when-opened.ts'
import type { Lifecycle, LifecycleParts } from './lifecycle.ts'

/** All lifecycles, by name. */
const lifecycles = {
  'folded-as-delivered': FoldedAsDelivered,
  'folded-when-opened': FoldedWhenOpened,
} as const satisfies Record<string, new (parts: LifecycleParts) => Lifecycle>

/** The name of a lifecycle. A lifecycle is a rule that states when states are folded and when they leave memory. */
export type LifecycleName = keyof typeof lifecycles

/** Makes one lifecycle for each name. */
export function createLifecycles(parts: LifecycleParts): ReadonlyMap<LifecycleName, Lifecycle> {
  return new Map(
    (Object.keys(lifecycles) as LifecycleName[]).map((name) => [name, new lifecycles[name](parts)]),
  )
}
