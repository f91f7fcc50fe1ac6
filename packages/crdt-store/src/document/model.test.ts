import { document, type DocumentHandle, type Json } from '@peerplane/core'
import { stateModelContract } from '@peerplane/core/testing'

import { documentModel } from './index.ts'

interface Content {
  readonly [key: string]: Json
  text: string
  list: Json[]
  map: { [key: string]: Json }
}

stateModelContract('documents', async () => ({
  hasCanonicalSnapshots: false,
  model: await documentModel(document<Content>({ text: 'abc', list: [1], map: { k: 1 } })),
  edit: (handle, choose) => {
    const doc = handle as DocumentHandle<Content>
    const edits = [
      () => doc.splice(['text'], choose(doc.text.length + 1), 0, 'xyz'.slice(choose(3))),
      () =>
        doc.splice(
          ['text'],
          choose(Math.max(1, doc.text.length)),
          Math.min(1, doc.text.length),
          '',
        ),
      () => doc.list.push({ n: choose(9) }),
      () => doc.list.splice(choose(doc.list.length + 1), 1, choose(9)),
      () => (doc.map[`k${choose(3)}`] = [choose(9)]),
      () => delete doc.map[`k${choose(3)}`],
    ]
    for (let left = 1 + choose(3); left > 0; left--) edits[choose(edits.length)]!()
  },
}))
