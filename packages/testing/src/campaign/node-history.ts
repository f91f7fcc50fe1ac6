import type { Json, TreeItem } from '@peerplane/core'

import type { Execution } from './knowledge.ts'

interface Node {
  readonly label: string
}

/** Checks that no node is shown twice, that somebody has planted each, and that no node is missing that something has touched that no deletion saw. */
export function expectNodes(
  value: Json | undefined,
  effects: readonly Execution[],
): string | undefined {
  const shown = labelsOf(value as unknown as readonly TreeItem<Node>[])
  const planted = effects.filter(({ command }) => command === 'plant')
  const labels = new Set(planted.map(({ input: { key }, mark }) => `${key} ${mark}`))
  const twice = shown.find((label, i) => shown.indexOf(label) !== i)
  if (twice !== undefined) return `node "${twice}" is shown twice`
  const stray = shown.find((label) => !labels.has(label))
  if (stray !== undefined) return `node "${stray}" was planted by nobody`
  const lost = planted.find(
    (plant) => isKept(plant, effects) && !shown.includes(`${plant.input.key} ${plant.mark}`),
  )
  return lost && `node "${lost.input.key} ${lost.mark}" is not shown`
}

const labelsOf = (items: readonly TreeItem<Node>[]): string[] =>
  items.flatMap(({ value, children }) => [value.label, ...labelsOf(children)])

/** Whether a command has touched the node of `plant` that no deletion saw. Commands that change nodes below it are left out: they keep it, too. */
function isKept(plant: Execution, effects: readonly Execution[]): boolean {
  const own = effects.filter(({ input }) => input.key === plant.input.key)
  const prunes = own.filter(({ command }) => command === 'prune')
  const grafts = own.filter(
    (graft) =>
      graft.command === 'graft' &&
      graft.seen.has(plant.mark) &&
      !prunes.some((prune) => graft.seen.has(prune.mark) && prune.seen.has(plant.mark)),
  )
  return [plant, ...grafts].some(({ mark }) => !prunes.some(({ seen }) => seen.has(mark)))
}
