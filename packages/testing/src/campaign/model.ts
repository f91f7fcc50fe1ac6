import type { Json } from '@peerplane/core'

import { EntryHistory, type EffectOf } from './entry-history.ts'
import type { Execution } from './knowledge.ts'
import { expectNodes } from './node-history.ts'
import { expectRows } from './row-history.ts'
import { expectWords } from './story.ts'
import { judgePanel } from './panel-model.ts'

/**
 * What the state of an entity must be that contains exactly these effects: the meaning of the state models, said a second time and in the
 * plainest way. Each effect knows which others its command saw, so nothing here depends on clocks, dependencies or the order of arrival.
 *
 * Returns what is wrong, or `undefined`.
 */
export function judgeState(
  type: string,
  state: Json,
  effects: readonly Execution[],
  effectOf: EffectOf,
): string | undefined {
  const mirror = state as { readonly [field: string]: Json }
  if (type === 'tally') return expect('total', mirror.total, [sum(effects)])
  if (type === 'panel') return judgePanel(mirror, effects)
  const of = (...commands: string[]): Execution[] =>
    effects.filter(({ command }) => commands.includes(command))
  const keysOf = (list: readonly Execution[]): Set<string> =>
    new Set(list.map(({ input }) => input.key))
  return (
    expect('title', mirror.title, texts(of('name'), '')) ??
    each('cells', mirror.cells, keysOf(of('write')), (key) =>
      texts(new EntryHistory(key, 'write', 'erase', effectOf).changes(effects)),
    ) ??
    each('sums', mirror.sums, keysOf(of('count')), (key) => {
      const counts = new EntryHistory(key, 'count', 'forget', effectOf).changes(effects)
      return counts.length > 0 ? [sum(counts)] : []
    }) ??
    expectTags(mirror.tags, of('tag'), of('untag')) ??
    expectRows(mirror.rows, effects) ??
    expectNodes(mirror.nodes, effects) ??
    expectWords(mirror.story, effects)
  )
}

const sum = (effects: readonly Execution[]): number =>
  effects.reduce((total, { input }) => total + input.by, 0)

/** Effects on `key` that no removal has seen. */
function living(
  added: readonly Execution[],
  removed: readonly Execution[],
  key: string,
): Execution[] {
  const removals = removed.filter(({ input }) => input.key === key)
  return added.filter(
    ({ input, mark }) => input.key === key && !removals.some(({ seen }) => seen.has(mark)),
  )
}

/** Values that a register may show: those written by commands that no other write has seen. */
function texts(writes: readonly Execution[], initial?: string): string[] {
  if (writes.length === 0) return initial === undefined ? [] : [initial]
  return writes
    .filter(({ mark }) => !writes.some(({ seen }) => seen.has(mark)))
    .map(({ input }) => input.text)
}

function expectTags(
  value: Json | undefined,
  added: readonly Execution[],
  removed: readonly Execution[],
): string | undefined {
  const keys = [...new Set(added.map(({ input }) => input.key))]
  const shown = [...(value as readonly string[])].sort()
  const present = keys
    .filter((key) => {
      const alive = living(added, removed, key)
      // Perhaps only repetitions are alive: then the element may be absent.
      const isSure = alive.some((each) => !mayRepeat(each, added, removed))
      return alive.length > 0 && (isSure || shown.includes(key))
    })
    .sort()
  if (present.join() === shown.join()) return undefined
  return `tags are ${JSON.stringify(shown)} and should be ${JSON.stringify(present)}`
}

/**
 * Whether an addition may have had no effect, because its session had added the element before, and had not seen that removed. A process writes
 * one session, or more if its disk fails.
 */
const mayRepeat = (
  { input: { key }, process, seen }: Execution,
  added: readonly Execution[],
  removed: readonly Execution[],
): boolean =>
  living(
    added.filter((each) => seen.has(each.mark)),
    removed.filter((each) => seen.has(each.mark)),
    key,
  ).some((each) => each.process === process)

/** Checks every key of a map; no allowed value means that the key is absent. */
function each(
  name: string,
  value: Json | undefined,
  keys: ReadonlySet<string>,
  allowed: (key: string) => readonly Json[],
): string | undefined {
  const shown = value as { readonly [key: string]: Json }
  const stray = Object.keys(shown).find((key) => !keys.has(key))
  if (stray !== undefined) return `${name} has a key "${stray}" that nobody wrote`
  for (const key of keys) {
    const values = allowed(key)
    const wrong = expect(`${name}.${key}`, shown[key], values.length > 0 ? values : [undefined])
    if (wrong) return wrong
  }
  return undefined
}

function expect(
  name: string,
  value: Json | undefined,
  allowed: readonly (Json | undefined)[],
): string | undefined {
  if (allowed.some((each) => each === value)) return undefined
  const choices = allowed.map((each) => JSON.stringify(each) ?? 'absent').join(' or ')
  return `${name} is ${JSON.stringify(value) ?? 'absent'} and should be ${choices}`
}
