import { entity, record, register } from '@peerplane/core'

/** What the benchmark creates and deletes. */
export const Item = entity('item', {
  state: record({ title: register(''), text: register('') }),
  commands: {
    write: (item, title: string) => {
      item.title.set(title)
      item.text.set(`The text of ${title}`)
    },
    remove: (_, __: null, context) => context.delete(),
  },
})
