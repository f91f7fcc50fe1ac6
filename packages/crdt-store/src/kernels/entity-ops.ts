import type { Value } from '@peerplane/core'

import type { Entries } from './entries.ts'
import type { Cell, Kernel } from './kernel.ts'
import { isRemoval } from './op.ts'
import type { OpContext } from './op-context.ts'
import type { OtherKind } from './other-kind.ts'
import { items, Void } from './void.ts'

/** The key of an entity among its own entries. */
export const ENTITY = ''

/** The ops of a body, and the generation of the entity that they change. */
export interface EntityOps {
  readonly ops: readonly Value[]
  readonly generation: number
  /** The place of the first op among all ops of the body. */
  readonly first?: number
}

const REMOVAL_MARK = 6

/** The removal of an entity, as the only op of a body. */
export const entityRemoval = (names: Value): Value => [REMOVAL_MARK, names]

/**
 * Applies the ops of a body; one of another kind has no effect, except that it keeps the entity. Returns the first of these. Throws `Void`.
 */
export function applyAll(
  kernel: Kernel,
  entity: Entries<Cell>,
  { ops, generation, first = 0 }: EntityOps,
  context: OpContext,
): OtherKind | undefined {
  if (ops.some(isEntityRemoval)) {
    removeEntity(entity, { ops, generation }, context)
    return undefined
  }
  const entry = entity.enter(ENTITY, generation, context)
  const content = entry?.content ?? kernel.create()
  let skipped: OtherKind | undefined
  const start = context.mark()
  const isPresent = (): boolean => entity.get(ENTITY) === content
  for (const [i, op] of ops.entries()) {
    const before = context.mark()
    context.index = first + i
    const other = context.inside(content, isPresent, () => kernel.apply(content, op, context))
    if (!other) continue
    context.revert(before)
    skipped ??= other
  }
  // What is written to a generation that is gone is judged anyway.
  if (!entry) context.revert(start)
  else if (!ops.every(isRemoval) || ops.length === 0) entity.touch(ENTITY, entry, context)
  return skipped
}

/** Applies the removal of an entity. Throws `Void`. */
export function removeEntity<Content>(
  entity: Entries<Content>,
  { ops, generation }: EntityOps,
  context: OpContext,
): void {
  if (ops.length > 1) throw new Void('the removal of an entity is the only op of its body')
  const [, written] = items(ops[0], 2)
  entity.applyRemoval(ENTITY, written, generation, context)
}

/** Whether an op removes its entity. It does not say whether the op breaks a rule. */
export const isEntityRemoval = (op: Value): boolean => Array.isArray(op) && op[0] === REMOVAL_MARK
