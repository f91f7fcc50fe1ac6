import {
  counter,
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
  type HandleOf,
} from '@peerplane/core'
import { stateModelContract } from '@peerplane/core/testing'

import { nativeModel } from './native-model.ts'

const shape = record({
  count: counter(),
  title: register(''),
  tags: set<string>(),
  cards: map(record({ text: register(''), votes: counter() })),
  outline: tree(register('')),
  rows: list(register('')),
  lit: flag(),
  poll: vote(),
  opinions: multiValueRegister(''),
  visits: growOnlyCounter(),
  seen: growOnlySet(),
  gauge: register('', { clock: 'custom' }),
  body: text(),
})

stateModelContract('native shapes', async () => ({
  hasCanonicalSnapshots: true,
  model: nativeModel(shape),
  edit: (handle, choose) => {
    const state = handle as HandleOf<typeof shape>
    const word = (): string => ['a', 'b', '__proto__'][choose(3)]!
    const someNode = (): string | undefined => {
      const top = state.outline.children()
      return top[choose(top.length + 1)]
    }
    const edits = [
      () => state.count.increment(1 + choose(5)),
      () => state.title.set(word()),
      () => state.tags.add(word()),
      () => state.tags.delete(word()),
      () => state.cards.get(word()).text.set(word()),
      () => state.cards.get(word()).votes.increment(1),
      () => state.cards.delete(word()),
      () => state.outline.insert(someNode()).value.set(word()),
      () => state.outline.delete(someNode() ?? ''),
      () => {
        const key = someNode()
        if (key !== undefined) state.outline.move(key, undefined, 'first')
      },
      () => state.lit.enable(),
      () => state.lit.disable(),
      () => state.poll.vote(choose(2) === 0),
      () => state.opinions.set(word()),
      () => state.visits.increment(choose(3)),
      () => state.seen.add(word()),
      () => state.gauge.set(word(), choose(3)),
      () => state.body.insert(choose(state.body.length + 1), word()),
      () => state.body.delete(0, choose(state.body.length + 1)),
      () => state.body.set(`${word()} ${word()}`),
      () => state.rows.insert('first').value.set(word()),
      () => state.rows.insert().value.set(word()),
      () => state.rows.keys.slice(0, 1).forEach((key) => state.rows.move(key, 'last')),
      () => state.rows.keys.slice(0, 1).forEach((key) => state.rows.delete(key)),
    ]
    for (let left = 1 + choose(3); left > 0; left--) edits[choose(edits.length)]!()
  },
}))

const single = register(0)
stateModelContract('a single register', async () => ({
  hasCanonicalSnapshots: true,
  model: nativeModel(single),
  edit: (handle, choose) => (handle as HandleOf<typeof single>).set(1 + choose(9)),
}))
