import {
  compareTexts,
  counter,
  entity,
  map,
  migrate,
  record,
  register,
  set,
  tree,
  type Entity,
  type Json,
  type TreeHandle,
} from '@peerplane/core'

import { MIXED_TYPE } from '../mixed/entities.ts'

/** A command of a run in which two versions of an app edit together: it leaves its mark in all fields of its version. */
interface EvolveInput {
  readonly mark: string
  readonly key: string
  readonly by: number
}

/** The number of a mark, which version 1 of the app keeps; version 2 keeps the mark, too. */
const numberOf = (mark: string): number => Number(mark.replaceAll(/\D/g, '')) + 1

const first = record({
  marks: set(),
  title: register(''),
  size: register(0),
  total: counter(),
  note: register(''),
  cards: map(record({ text: register(''), count: counter() })),
  outline: tree(record({ text: register(''), count: counter() })),
})

const last = record({
  marks: set(),
  name: register(''),
  label: register('0 '),
  total: counter(),
  extra: counter(),
  note: set(),
  cards: map(record({ label: register(''), count: counter(), points: counter() })),
  outline: tree(record({ label: register(''), count: counter(), points: counter() })),
})

/** Inserts a node at the top or below a node there, and moves another one. */
function grow<Node>(outline: TreeHandle<Node>, by: number): Node {
  const keys = outline.children()
  const { value } = outline.insert(keys[by % (keys.length + 1)])
  if (keys.length > 0) outline.move(keys[by % keys.length]!, undefined, 'last')
  return value
}

/** The same entities, declared by two versions of an app. */
export const evolveEntities: { readonly old: readonly Entity[]; readonly new: readonly Entity[] } =
  {
    old: [
      entity(MIXED_TYPE, {
        state: first,
        commands: {
          add(state, { mark, key, by }: EvolveInput) {
            state.marks.add(mark)
            state.title.set(mark)
            state.size.set(numberOf(mark))
            state.total.increment(by)
            state.note.set(mark)
            state.cards.get(key).text.set(mark)
            state.cards.get(key).count.increment(by)
            const node = grow(state.outline, by)
            node.text.set(mark)
            node.count.increment(by)
          },
        },
      }),
    ],
    new: [
      entity(MIXED_TYPE, {
        version: 6,
        state: last,
        migrations: migrate(first)
          .rename('title', 'name')
          .convert('size', 'label', register('0 '), {
            up: (size) => `${size} `,
            down: (label) => Number(label.split(' ')[0]),
          })
          .drop('note')
          .in('cards', (card) => card.rename('text', 'label'))
          .in('outline', (node) => node.rename('text', 'label')),
        commands: {
          add(state, { mark, key, by }: EvolveInput) {
            state.marks.add(mark)
            state.name.set(mark)
            state.label.set(`${numberOf(mark)} ${mark}`)
            state.total.increment(by)
            state.extra.increment(by)
            state.note.add(mark)
            state.cards.get(key).label.set(mark)
            state.cards.get(key).count.increment(by)
            state.cards.get(key).points.increment(by)
            const node = grow(state.outline, by)
            node.label.set(mark)
            node.count.increment(by)
            node.points.increment(by)
          },
        },
      }),
    ],
  }

/** What the run knows of a mark. */
export interface EvolveMark {
  readonly isNew: boolean
  readonly by: number
  readonly key: string
}

/** A state as one of the versions shows it. The fields that only one version has are missing in the other. */
interface Shown {
  readonly marks: readonly string[]
  readonly title?: string
  readonly name?: string
  readonly size?: number
  readonly label?: string
  readonly total: number
  readonly extra?: number
  readonly note: string | readonly string[]
  readonly cards: {
    readonly [key: string]: {
      readonly text?: string
      readonly label?: string
      readonly count: number
      readonly points?: number
    }
  }
  readonly outline: readonly ShownNode[]
}

interface ShownNode {
  readonly key: string
  readonly value: {
    readonly text?: string
    readonly label?: string
    readonly count: number
    readonly points?: number
  }
  readonly children: readonly ShownNode[]
}

const textOf = ({ value }: ShownNode, isNew: boolean): string =>
  (isNew ? value.label : value.text) ?? ''

const nodesIn = (nodes: readonly ShownNode[]): readonly ShownNode[] =>
  nodes.flatMap((node) => [node, ...nodesIn(node.children)])

export const marksOf = (state: Json): readonly string[] => (state as unknown as Shown).marks

/** What every device must show alike, whatever its version. */
export function commonOf(state: Json, isNew: boolean): string {
  const { marks, title, name, cards, outline } = state as unknown as Shown
  const texts = Object.entries(cards).map(([key, { text, label }]) => [key, isNew ? label : text])
  const nodes = (list: readonly ShownNode[]): unknown =>
    list.map((node) => [node.key, textOf(node, isNew), nodes(node.children)])
  const common: readonly unknown[] = [marks, isNew ? name : title, texts, nodes(outline)]
  return JSON.stringify(common)
}

/** What is wrong with a state, if it has the effect of its marks and nothing else. */
export function flawIn(
  state: Json,
  isNew: boolean,
  marked: (mark: string) => EvolveMark | undefined,
): string | undefined {
  const shown = state as unknown as Shown
  const work = shown.marks.map((mark) => ({ mark, ...marked(mark) }))
  const unknown = work.find(({ by }) => by === undefined)
  if (unknown) return `${unknown.mark} was never written on it`
  const sum = (...filters: readonly ((each: Partial<EvolveMark>) => boolean)[]): number =>
    work
      .filter((each) => filters.every((filter) => filter(each)))
      .reduce((total, { by }) => total + by!, 0)
  const byNew = (each: Partial<EvolveMark>): boolean => each.isNew === true
  const latest = isNew ? shown.name : shown.title
  const isKnown = latest === '' ? work.length === 0 : shown.marks.includes(latest!)
  if (!isKnown) return `its title ${latest} is none of its marks`
  // Title and size are written by every command, so both show the same command.
  const size = latest === '' ? 0 : numberOf(latest!)
  const label = `${size} ${marked(latest!)?.isNew === true ? latest : ''}`
  const notes = work.filter((each) => each.isNew !== isNew).length < work.length
  const nodes = nodesIn(shown.outline)
  const expected: readonly (readonly [string, Json | undefined, Json | undefined])[] = [
    ['total', shown.total, sum()],
    ['size', shown.size, isNew ? undefined : size],
    ['label', shown.label, isNew ? label : undefined],
    ['extra', shown.extra, isNew ? sum(byNew) : undefined],
    ['whether there is a note', shown.note.length > 0, notes],
    [
      'the cards',
      Object.keys(shown.cards).join(),
      [...new Set(work.map(({ key }) => key!))].toSorted(compareTexts).join(),
    ],
    [
      'the nodes',
      nodes
        .map((node) => textOf(node, isNew))
        .toSorted()
        .join(),
      work
        .map(({ mark }) => mark)
        .toSorted()
        .join(),
    ],
    ...nodes.flatMap((node) => {
      const { isNew: isByNew, by } = marked(textOf(node, isNew)) ?? {}
      const points = isByNew ? by : 0
      return [
        [`count of node ${node.key}`, node.value.count, by ?? null] as const,
        [`points of node ${node.key}`, node.value.points, isNew ? points : undefined] as const,
      ]
    }),
    ...Object.entries(shown.cards).flatMap(([key, card]) => {
      const on = (each: Partial<EvolveMark>): boolean => each.key === key
      const text = isNew ? card.label : card.text
      return [
        [`count of card ${key}`, card.count, sum(on)] as const,
        [`points of card ${key}`, card.points, isNew ? sum(on, byNew) : undefined] as const,
        [`text of card ${key}`, marked(text!)?.key, key] as const,
      ]
    }),
  ]
  const wrong = expected.find(([, value, right]) => value !== right)
  return wrong && `${wrong[0]} is ${JSON.stringify(wrong[1])}, not ${JSON.stringify(wrong[2])}`
}
