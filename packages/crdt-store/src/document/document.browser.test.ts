import {
  document,
  hash,
  toHex,
  utf8,
  type DocumentHandle,
  type DeviceId,
  type SessionId,
} from '@peerplane/core'
import { bodyAt } from '@peerplane/core/testing'
import { expect, test } from 'vitest'

const loaded = (): string[] =>
  performance
    .getEntriesByType('resource')
    .map(({ name }) => name)
    .filter((name) => name.includes('@automerge'))

test('nothing of Automerge is loaded before the first document', async () => {
  const { documentModel } = await import('./index.ts')
  expect(loaded()).toEqual([])

  const model = await documentModel(document({ text: '' }))
  expect(loaded().some((name) => name.includes('.wasm'))).toBe(true)

  const [a, b] = [await model.open(undefined), await model.open(undefined)]
  const origin = {
    device: toHex(hash('test-device', utf8('a'))) as DeviceId,
    session: toHex(hash('test-session', utf8('a')).slice(0, 16)) as SessionId,
    seq: 1,
    time: { ms: 0, counter: 0 },
  }
  const draft = a.begin(origin)
  ;(draft.handle as DocumentHandle<{ text: string }>).splice(['text'], 0, 0, 'hello')
  expect(b.fold([bodyAt(origin, draft.finish()!)])).toEqual([])
  expect(b.mirror).toEqual({ text: 'hello' })
  // The first change of a document is the same as in Node.
  expect((await model.open(undefined)).version).toBe(
    '056f9396e290cfb3257c13be18b28f2314246e974bb200cf82533427c146b5cb',
  )
})
