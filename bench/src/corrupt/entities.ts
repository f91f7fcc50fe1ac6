import { counter, document, entity, map, record, register, set } from '@peerplane/node'

/** Folded as delivered. */
export const Card = entity('card', {
  state: record({ title: register(''), votes: map(counter()), tags: set() }),
  commands: {
    fill: (card, text: string) => {
      card.title.set(text)
      card.votes.get('all').increment(text.length)
      card.tags.add(text.slice(0, 20))
    },
  },
})

/** Folded when opened. */
export const Note = entity('note', {
  state: document({ text: '' }),
  commands: {
    write: (note, text: string) => {
      note.text += text
    },
  },
})
