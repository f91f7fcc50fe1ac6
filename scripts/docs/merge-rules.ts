// What two devices make of what they do at the same time: data from which a page is generated, and which a test runs.
import {
  counter,
  document,
  flag,
  growOnlyCounter,
  growOnlySet,
  list,
  map,
  multiValueRegister,
  record,
  register,
  set,
  text,
  tree,
  vote,
  type Draft,
  type HandleOf,
  type Json,
  type Shape,
} from '../../packages/core/src/index.ts'

/** What a handler does. `key` gives the key of the element or node whose value is a text. */
type Act<S extends Shape> = (
  state: HandleOf<S>,
  key: (value: string) => string,
  draft: Draft,
) => unknown

/** One rule. B acts later than A, as far as clocks say. */
export interface MergeRule<S extends Shape = Shape> {
  readonly rule: string
  /** What both have before. */
  readonly before?: Act<S>
  readonly a: Act<S>
  readonly b: Act<S>
  /** What all devices show then; of lists and trees, the values. `null` stands for an entity that does not exist. */
  readonly shows: Json
  /** The same if A acts later, where that makes a difference. */
  readonly swapped?: Json
}

/** The rules of one kind of state. */
export interface MergeRules {
  readonly title: string
  readonly shape: Shape
  readonly wins?: 'update' | 'removal'
  readonly rules: readonly MergeRule<never>[]
}

const rules = <S extends Shape>(
  title: string,
  shape: S,
  of: readonly MergeRule<S>[],
  wins?: 'update' | 'removal',
): MergeRules => ({
  title,
  shape,
  rules: of as readonly MergeRule<never>[],
  ...(wins ? { wins } : {}),
})

const card = record({ title: register(''), done: register(false) })

const small: readonly MergeRules[] = [
  rules('counter()', counter(), [
    {
      rule: 'both changes count',
      before: (s) => s.increment(5),
      a: (s) => s.increment(2),
      b: (s) => s.decrement(),
      shows: 6,
    },
  ]),
  rules('growOnlyCounter()', growOnlyCounter(), [
    {
      rule: 'both increments count',
      a: (s) => s.increment(5),
      b: (s) => s.increment(3),
      shows: 8,
    },
  ]),
  rules("register('')", register(''), [
    {
      rule: 'the later write is shown',
      a: (s) => s.set('red'),
      b: (s) => s.set('blue'),
      shows: 'blue',
      swapped: 'red',
    },
    {
      rule: 'a write and the same write again are one',
      a: (s) => s.set('red'),
      b: (s) => s.set('red'),
      shows: 'red',
    },
  ]),
  rules("register('', { clock: 'reverse' })", register('', { clock: 'reverse' }), [
    {
      rule: 'the earlier write is shown',
      a: (s) => s.set('red'),
      b: (s) => s.set('blue'),
      shows: 'red',
      swapped: 'blue',
    },
  ]),
  rules("register('', { clock: 'custom' })", register('', { clock: 'custom' }), [
    {
      rule: 'the write with the greater clock is shown',
      a: (s) => s.set('red', 5),
      b: (s) => s.set('blue', 3),
      shows: 'red',
    },
    {
      rule: 'of two writes with equal clocks, the later one is shown',
      a: (s) => s.set('red', 5),
      b: (s) => s.set('blue', 5),
      shows: 'blue',
      swapped: 'red',
    },
  ]),
  rules(
    "register('', { clock: 'custom-auto-increment' })",
    register('', { clock: 'custom-auto-increment' }),
    [
      {
        rule: 'the write with the greater clock is shown; each write raises the clock that it has seen',
        before: (s) => s.set('red'),
        a: (s) => {
          s.set('green')
          s.set('blue')
        },
        b: (s) => s.set('grey'),
        shows: 'blue',
      },
    ],
  ),
  rules("multiValueRegister('')", multiValueRegister(''), [
    {
      rule: 'both values are shown, the later one first',
      before: (s) => s.set('red'),
      a: (s) => s.set('green'),
      b: (s) => s.set('blue'),
      shows: ['blue', 'green'],
      swapped: ['green', 'blue'],
    },
    {
      rule: 'equal values are shown once',
      a: (s) => s.set('red'),
      b: (s) => s.set('red'),
      shows: ['red'],
    },
  ]),
  rules('flag()', flag(), [
    {
      rule: 'enabling wins',
      before: (s) => s.enable(),
      a: (s) => s.disable(),
      b: (s) => s.enable(),
      shows: true,
    },
    {
      rule: 'two that disable it disable it',
      before: (s) => s.enable(),
      a: (s) => s.disable(),
      b: (s) => s.disable(),
      shows: false,
    },
  ]),
  rules("flag({ wins: 'disable' })", flag({ wins: 'disable' }), [
    {
      rule: 'disabling wins',
      a: (s) => s.enable(),
      b: (s) => s.disable(),
      shows: false,
    },
  ]),
  rules('vote()', vote(), [
    {
      rule: 'both votes count',
      a: (s) => s.vote(true),
      b: (s) => s.vote(false),
      shows: { A: true, B: false },
    },
  ]),
  rules('set()', set<string>(), [
    {
      rule: 'both elements are added',
      a: (s) => s.add('x'),
      b: (s) => s.add('y'),
      shows: ['x', 'y'],
    },
    {
      rule: 'adding wins over a deletion that has not seen it',
      before: (s) => s.add('x'),
      a: (s) => s.delete('x'),
      b: (s) => s.add('x'),
      shows: ['x'],
    },
    {
      rule: 'two that delete an element delete it',
      before: (s) => s.add('x'),
      a: (s) => s.delete('x'),
      b: (s) => s.delete('x'),
      shows: [],
    },
  ]),
  rules('growOnlySet()', growOnlySet<string>(), [
    {
      rule: 'both elements are added',
      a: (s) => s.add('x'),
      b: (s) => s.add('y'),
      shows: ['x', 'y'],
    },
  ]),
]

const maps: readonly MergeRules[] = [
  rules('record({ title, done })', card, [
    {
      rule: 'each field merges on its own',
      a: (s) => s.title.set('tea'),
      b: (s) => s.done.set(true),
      shows: { title: 'tea', done: true },
    },
  ]),
  rules('map(record({ title, done }))', map(card), [
    {
      rule: 'each key merges on its own',
      a: (s) => s.get('k').title.set('tea'),
      b: (s) => s.get('l').title.set('jam'),
      shows: { k: { title: 'tea', done: false }, l: { title: 'jam', done: false } },
    },
    {
      rule: 'two that make a key change one value',
      a: (s) => s.get('k').title.set('tea'),
      b: (s) => s.get('k').done.set(true),
      shows: { k: { title: 'tea', done: true } },
    },
    {
      rule: 'a change that the removal has not seen keeps the whole value',
      before: (s) => s.get('k').title.set('tea'),
      a: (s) => s.delete('k'),
      b: (s) => s.get('k').done.set(true),
      shows: { k: { title: 'tea', done: true } },
    },
    {
      rule: 'two removals remove',
      before: (s) => s.get('k').title.set('tea'),
      a: (s) => s.delete('k'),
      b: (s) => s.delete('k'),
      shows: {},
    },
    {
      rule: 'a removed and changed key has a new value; changes of the old value are lost',
      before: (s) => s.get('k').title.set('tea'),
      a: (s) => {
        s.delete('k')
        s.get('k').title.set('jam')
      },
      b: (s) => s.get('k').done.set(true),
      shows: { k: { title: 'jam', done: false } },
    },
  ]),
  rules("map(record({ title, done }), { wins: 'removal' })", map(card, { wins: 'removal' }), [
    {
      rule: 'the removal wins, and the concurrent change is lost',
      before: (s) => s.get('k').title.set('tea'),
      a: (s) => s.delete('k'),
      b: (s) => s.get('k').done.set(true),
      shows: {},
    },
  ]),
]

const written: readonly MergeRules[] = [
  rules('text()', text(), [
    {
      rule: 'both insertions stay together, in an order that all devices share',
      before: (s) => s.set('begin end'),
      a: (s) => s.insert(6, 'one '),
      b: (s) => s.insert(6, 'two '),
      shows: 'begin one two end',
    },
    {
      rule: 'what is inserted into deleted text stays',
      before: (s) => s.set('The cat sat.'),
      a: (s) => s.delete(4, 4),
      b: (s) => s.insert(8, 'has '),
      shows: 'The has sat.',
    },
    {
      rule: 'deletions that overlap delete all that either of them deletes',
      before: (s) => s.set('abcdef'),
      a: (s) => s.delete(1, 3),
      b: (s) => s.delete(2, 3),
      shows: 'af',
    },
    {
      rule: 'an assignment changes only the words that differ',
      before: (s) => s.set('The cat sat.'),
      a: (s) => s.set('The cat sat down.'),
      b: (s) => s.insert(4, 'black '),
      shows: 'The black cat sat down.',
    },
  ]),
]

const type = (
  s: HandleOf<typeof texts>,
  words: string,
  where: Parameters<(typeof s)['insert']>[0] = 'last',
): void => {
  let place = where
  for (const word of words) {
    const { key, value } = s.insert(place)
    value.set(word)
    place = { after: key }
  }
}
const texts = list(register(''))

const lists: readonly MergeRules[] = [
  rules("list(register(''))", texts, [
    {
      rule: 'both insertions stay together, in an order that all devices share',
      before: (s) => type(s, 'xy'),
      a: (s, key) => type(s, 'ab', { after: key('x') }),
      b: (s, key) => type(s, 'cd', { after: key('x') }),
      shows: ['x', 'a', 'b', 'c', 'd', 'y'],
    },
    {
      rule: 'of two moves of one element, the later counts',
      before: (s) => type(s, 'xyz'),
      a: (s, key) => s.move(key('x'), 'last'),
      b: (s, key) => s.move(key('x'), { after: key('y') }),
      shows: ['y', 'x', 'z'],
      swapped: ['y', 'z', 'x'],
    },
    {
      rule: 'moves of two elements both count',
      before: (s) => type(s, 'xyz'),
      a: (s, key) => s.move(key('x'), 'last'),
      b: (s, key) => s.move(key('z'), 'first'),
      shows: ['z', 'y', 'x'],
    },
    {
      rule: 'an element that is moved and changed has both',
      before: (s) => type(s, 'xy'),
      a: (s, key) => s.move(key('x'), 'last'),
      b: (s, key) => s.get(key('x')).set('X'),
      shows: ['y', 'X'],
    },
    {
      rule: 'a change that the deletion has not seen keeps the element',
      before: (s) => type(s, 'xy'),
      a: (s, key) => s.delete(key('x')),
      b: (s, key) => s.get(key('x')).set('X'),
      shows: ['X', 'y'],
    },
    {
      rule: 'a move that the deletion has not seen keeps the element',
      before: (s) => type(s, 'xy'),
      a: (s, key) => s.delete(key('x')),
      b: (s, key) => s.move(key('x'), 'last'),
      shows: ['y', 'x'],
    },
    {
      rule: 'two deletions delete',
      before: (s) => type(s, 'xy'),
      a: (s, key) => s.delete(key('x')),
      b: (s, key) => s.delete(key('x')),
      shows: ['y'],
    },
    {
      rule: 'what is inserted next to a deleted element stays where that was',
      before: (s) => type(s, 'xyz'),
      a: (s, key) => s.delete(key('y')),
      b: (s, key) => type(s, 'a', { after: key('y') }),
      shows: ['x', 'a', 'z'],
    },
    {
      rule: 'what is inserted next to a moved element stays where that was',
      before: (s) => type(s, 'xyz'),
      a: (s, key) => s.move(key('x'), 'last'),
      b: (s, key) => type(s, 'a', { after: key('x') }),
      shows: ['a', 'y', 'z', 'x'],
    },
  ]),
  rules("list(register(''), { wins: 'removal' })", list(register(''), { wins: 'removal' }), [
    {
      rule: 'the deletion wins, and the concurrent change is lost',
      before: (s) => type(s, 'xy'),
      a: (s, key) => s.delete(key('x')),
      b: (s, key) => s.get(key('x')).set('X'),
      shows: ['y'],
    },
  ]),
]

const nodes = tree(register(''))
const grow = (s: HandleOf<typeof nodes>, value: string, parent?: string): string => {
  const node = s.insert(parent)
  node.value.set(value)
  return node.key
}

const trees: readonly MergeRules[] = [
  rules("tree(register(''))", nodes, [
    {
      rule: 'both insertions are children, in an order that all devices share',
      before: (s) => grow(s, 'f'),
      a: (s, key) => grow(s, 'a', key('f')),
      b: (s, key) => grow(s, 'b', key('f')),
      shows: ['f(a b)'],
    },
    {
      rule: 'of two moves of one node, the later counts',
      before: (s) => ['f', 'g', 'x'].map((each) => grow(s, each)),
      a: (s, key) => s.move(key('x'), key('f')),
      b: (s, key) => s.move(key('x'), key('g')),
      shows: ['f', 'g(x)'],
      swapped: ['f(x)', 'g'],
    },
    {
      rule: 'of two moves that make a cycle, the later has no effect',
      before: (s) => ['a', 'b'].map((each) => grow(s, each)),
      a: (s, key) => s.move(key('a'), key('b')),
      b: (s, key) => s.move(key('b'), key('a')),
      shows: ['b(a)'],
      swapped: ['a(b)'],
    },
    {
      rule: 'a change below a deleted node keeps the node and all below it',
      before: (s) => grow(s, 'c', grow(s, 'f')),
      a: (s, key) => s.delete(key('f')),
      b: (s, key) => s.get(key('c')).set('C'),
      shows: ['f(C)'],
    },
    {
      rule: 'an insertion below a deleted node keeps the node',
      before: (s) => grow(s, 'f'),
      a: (s, key) => s.delete(key('f')),
      b: (s, key) => grow(s, 'c', key('f')),
      shows: ['f(c)'],
    },
    {
      rule: 'a move to below a deleted node keeps the node',
      before: (s) => ['f', 'x'].map((each) => grow(s, each)),
      a: (s, key) => s.delete(key('f')),
      b: (s, key) => s.move(key('x'), key('f')),
      shows: ['f(x)'],
    },
    {
      rule: 'a node that is moved out of a deleted node stays; the deleted node goes',
      before: (s) => grow(s, 'c', grow(s, 'f')),
      a: (s, key) => s.delete(key('f')),
      b: (s, key) => s.move(key('c')),
      shows: ['c'],
    },
    {
      rule: 'two deletions delete',
      before: (s) => grow(s, 'c', grow(s, 'f')),
      a: (s, key) => s.delete(key('f')),
      b: (s, key) => s.delete(key('c')),
      shows: [],
    },
  ]),
  rules("tree(register(''), { wins: 'removal' })", tree(register(''), { wins: 'removal' }), [
    {
      rule: 'the deletion wins over a change below the node',
      before: (s) => grow(s, 'c', grow(s, 'f')),
      a: (s, key) => s.delete(key('f')),
      b: (s, key) => s.get(key('c')).set('C'),
      shows: [],
    },
  ]),
]

const entityRules: readonly MergeRule<typeof card>[] = [
  {
    rule: 'a change that the deletion has not seen keeps the whole entity',
    before: (s) => s.title.set('tea'),
    a: (_, __, context) => context.delete(),
    b: (s) => s.done.set(true),
    shows: { title: 'tea', done: true },
  },
  {
    rule: 'two deletions delete',
    before: (s) => s.title.set('tea'),
    a: (_, __, context) => context.delete(),
    b: (_, __, context) => context.delete(),
    shows: null,
  },
  {
    rule: 'an entity that is deleted and created again is a new one; changes of the old one are lost',
    before: (s) => s.title.set('tea'),
    a: (s, _, context) => {
      context.delete()
      s.title.set('jam')
    },
    b: (s) => s.done.set(true),
    shows: { title: 'jam', done: false },
  },
]

const wholes: readonly MergeRules[] = [
  rules("entity('card', { state: record({ title, done }) })", card, entityRules),
  rules(
    "entity('card', { state: record({ title, done }), wins: 'removal' })",
    card,
    [
      {
        rule: 'the deletion wins, and the concurrent change is lost',
        before: (s) => s.title.set('tea'),
        a: (_, __, context) => context.delete(),
        b: (s) => s.done.set(true),
        shows: null,
      },
    ],
    'removal',
  ),
]

const documents: readonly MergeRules[] = [
  rules(
    "document({ text: 'The cat sat.', tags: [], count: 0 })",
    document({ text: 'The cat sat.', tags: [] as string[], count: 0 }),
    [
      {
        rule: 'an insertion into a text and the assignment of a changed text both count',
        a: (s) => s.splice(['text'], 4, 0, 'black '),
        b: (s) => (s.text = 'The cat sat down.'),
        shows: { text: 'The black cat sat down.', tags: [], count: 0 },
      },
      {
        rule: 'an insertion into deleted text stays',
        a: (s) => s.splice(['text'], 4, 4, ''),
        b: (s) => s.splice(['text'], 7, 0, 's'),
        shows: { text: 'The ssat.', tags: [], count: 0 },
      },
      {
        rule: 'both insertions into a list are kept',
        before: (s) => s.tags.push('x'),
        a: (s) => s.tags.unshift('a'),
        b: (s) => s.tags.push('b'),
        shows: { text: 'The cat sat.', tags: ['a', 'x', 'b'], count: 0 },
      },
      {
        rule: 'of two assignments of different keys, both count',
        a: (s) => (s.count = 1),
        b: (s) => s.tags.push('b'),
        shows: { text: 'The cat sat.', tags: ['b'], count: 1 },
      },
    ],
  ),
]

/** All rules. */
export const mergeRules: readonly MergeRules[] = [
  ...small,
  ...maps,
  ...written,
  ...lists,
  ...trees,
  ...wholes,
  ...documents,
]

/** The page of all rules. */
export function mergeRulesPage(): string {
  const tables = mergeRules.map(({ title, rules: of }) => {
    const rows = of.map(({ rule, before, a, b, shows, swapped }) => {
      const later = swapped === undefined ? '' : `; if A is later, ${shown(swapped)}`
      const cells = [rule, before ? code(before) : '', code(a), code(b), shown(shows) + later]
      return `| ${cells.join(' | ')} |`
    })
    return `## \`${title}\`

| rule | before | A | B, later | all show |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`
  })
  return `# Merge rules

This page shows what all devices show after two devices, A and B, have changed the same state at the same time: neither had seen the change of the other. Each row is an example that \`npm test\` runs in all orders of delivery. \`s\` is the state of a handler, \`key('x')\` is the key of the element or node with the value \`x\`, and \`f(a b)\` is a node \`f\` with the children \`a\` and \`b\`. In a list, \`type(s, 'ab', where)\` inserts the elements \`a\` and \`b\`; in a tree, \`grow(s, 'a', parent)\` inserts the node \`a\`. The result does not depend on which of the two acts later, unless the row says so. \`npm run docs\` generates this page from [merge-rules.ts](../scripts/docs/merge-rules.ts).

The page [state models](state-models.md) explains the reasons, and what the kinds of state cost. \`events\` and \`value\` have no row, because they never merge: see [one writer](state-models.md#events-and-values-one-writer).

${tables.join('\n')}`
}

const shown = (state: Json): string =>
  state === null ? 'nothing: it does not exist' : `\`${JSON.stringify(state)}\``

/** The source of a handler, as code in a cell. */
function code(act: (...args: never[]) => unknown): string {
  const source = String(act)
  const body = source.slice(source.indexOf('=>') + 2).trim()
  const isBlock = body.startsWith('{')
  const lines = (isBlock ? body.slice(1, -1).trim() : body).split('\n').map((line) => line.trim())
  const joined = lines.join(isBlock ? '; ' : ' ')
  return `\`${joined.replace(/^\((.*)\)$/, '$1')}\``
}
