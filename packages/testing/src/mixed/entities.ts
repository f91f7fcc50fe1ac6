import { entityKey, type Entity, type EntityKey, type Json, type SetHandle } from '@peerplane/core'

import type { CommandWork } from '../plan/plan.ts'
import type { SimRandom } from '../world/random.ts'
import type { Build } from './build.ts'

/** What every command of a mixed run does: it leaves its mark, and counts. */
interface MixedInput {
  readonly mark: string
  readonly key: string
  readonly by: number
}

/** The state of the entities of a mixed run, in the form that tells what each mark has added. */
export interface MixedState {
  readonly marks: readonly string[]
  readonly total: number
  readonly sums: { readonly [key: string]: number }
  readonly title: string
}

interface Handle {
  readonly marks: SetHandle<string>
  readonly total: { increment(by: number): void }
  readonly sums: { get(key: string): { increment(by: number): void } }
  readonly title: { set(value: string): void }
}

/** Hostile members write on other types. */
export const MIXED_TYPE = 'mixed'
export const mixedKeys: readonly EntityKey[] = ['a', 'b', 'c'].map((id) =>
  entityKey(MIXED_TYPE, id),
)

/** The entities of a mixed run, declared with a build. All builds declare the same. */
export function mixedEntities({ core }: Build): readonly Entity[] {
  const { counter, entity, map, record, register, set } = core
  const command = (handle: unknown, { mark, key, by }: MixedInput): void => {
    const { marks, total, sums, title } = handle as Handle
    marks.add(mark)
    total.increment(by)
    sums.get(key).increment(by)
    title.set(mark)
  }
  const state = record({
    marks: set(),
    total: counter(),
    sums: map(counter()),
    title: register(''),
  })
  return [entity(MIXED_TYPE, { state, commands: { add: command } })]
}

/** A random command, on one entity or on two. */
export function composeMixed(random: SimRandom): CommandWork {
  const count = random.chance(0.2) ? 2 : 1
  return {
    on: random
      .shuffle(mixedKeys)
      .slice(0, count)
      .map((entity) => ({
        entity,
        command: 'add',
        key: random.pick(['x', 'y']),
        by: 1 + random.below(9),
      })),
    durability: random.pick(['local', 'synced'] as const),
  }
}

/** What is wrong with a state, if each mark stands for what `work` says. */
export function flawOf(
  key: EntityKey,
  state: Json,
  work: (mark: string) => CommandWork | undefined,
): string | undefined {
  const { marks, total, sums } = state as unknown as MixedState
  const counted: { total: number; [key: string]: number } = { total: 0 }
  for (const mark of marks) {
    const part = work(mark)?.on.find(({ entity }) => entity === key)
    if (!part) return `${mark} was never written on it`
    counted.total += part.by
    counted[part.key] = (counted[part.key] ?? 0) + part.by
  }
  const shown = { total, ...sums }
  const names = new Set([...Object.keys(counted), ...Object.keys(shown)])
  const wrong = [...names].find(
    (name) => (counted[name] ?? 0) !== ((shown as { [name: string]: number })[name] ?? 0),
  )
  if (wrong === undefined) return undefined
  return `${wrong} is not the sum of what its marks have added`
}
