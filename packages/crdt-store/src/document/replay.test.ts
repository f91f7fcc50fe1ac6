import { document, type DocumentHandle, type EntityState, type StateModel } from '@peerplane/core'
import { bodyAt, processorTime } from '@peerplane/core/testing'
import { beforeAll, expect, test } from 'vitest'

import { automerge, copyOf, free } from './automerge.ts'
import { readChange } from './change-chunk.ts'
import { generator, originOf } from './hostile.fixture.test.ts'
import { documentModel } from './index.ts'
import type { DocumentReplica } from './library.ts'
import { Replay } from './replay.ts'

type Handle = DocumentHandle<{ text: string }>
let model: StateModel
let empty: () => DocumentReplica
beforeAll(async () => {
  model = await documentModel(document({ text: '' }))
  const library = await automerge()
  empty = () => library.getBackend(library.init({ actor: 'aa'.repeat(16) }))
})

/** Edits as people and programs make them, with characters of one and of two places. */
function edit(replica: DocumentReplica, text: string, random: () => number): void {
  for (let edits = 1 + Math.floor(random() * 3); edits > 0; edits--) {
    const characters = Array.from(replica.text(text))
    const at = Math.floor(random() * (characters.length + 1))
    const count = random() < 0.5 ? 0 : Math.floor(random() * 12)
    const [before, deleted] = [characters.slice(0, at), characters.slice(at, at + count)]
    const inserted = 'ab👍c👍👍'.slice(0, [0, 1, 2, 4, 5][Math.floor(random() * 5)])
    replica.splice(text, before.join('').length, deleted.join('').length, inserted)
  }
  // One character after the other, as with the key that deletes backwards.
  const { length } = replica.text(text)
  if (random() < 0.2 && length > 3) {
    for (let at = length - 1; at > length - 4; at--) replica.delete(text, at)
  }
}

test('a change that is repeated, in steps of any size, is the same change', () => {
  let same = 0
  let others = 0
  let all = 0
  for (let seed = 1; seed <= 40; seed++) {
    const random = generator(seed)
    let replica = empty()
    const text = replica.putObject('_root', 'text', '')
    replica.commit(null, 0)
    for (let turn = 0; turn < 25; turn++) {
      const before = replica
      replica = copyOf(before, ['aa', 'bb', 'cc'][Math.floor(random() * 3)]!.repeat(16))
      edit(replica, text, random)
      if (replica.pendingOps() > 0) {
        const hash = replica.commit(null, 0)!
        const replay = new Replay(before, readChange(replica.getChangeByHash(hash)!))
        while (replay.step(random() * 60) < 0);
        const made = replay.finish()
        all++
        if (made) same++
        if (made?.text(text) !== replica.text(text)) others++
        if (made) free(made)
        if (before.getHeads().includes(hash)) others += Infinity
      }
      free(before)
    }
    free(replica)
  }
  expect(all).toBeGreaterThan(500)
  // The others delete in two places of which one character has been between.
  expect(same / all).toBeGreaterThan(0.99)
  expect(others).toBe(all - same)
})

const typed = (state: EntityState, seq: number, act: (doc: Handle) => void) => {
  const draft = state.begin(originOf('alice', seq))
  act(draft.handle as Handle)
  return bodyAt(originOf('alice', seq), draft.finish()!)
}

test('typing and deleting in a text of 400,000 characters takes its readers little time', async () => {
  const author = await model.open(undefined)
  const reader = await model.open(undefined)
  const timed = (seq: number, act: (doc: Handle) => void): number => {
    const body = typed(author, seq, act)
    const times: number[] = []
    const part = <T>(task: () => T): T => {
      const start = processorTime()
      const result = task()
      times.push(processorTime() - start)
      return result
    }
    expect(part(() => reader.fold([body]))).toEqual([])
    while (part(() => reader.advance!(0)));
    return Math.max(...times)
  }
  // Judged at once, it would take at least 60 ms.
  expect(timed(1, (doc) => doc.splice(['text'], 0, 0, 'ten chars '.repeat(40_000)))).toBeLessThan(
    45,
  )
  // Applied, each would take at least 50 ms.
  const keys = Array.from({ length: 5 }, (_, i) =>
    timed(2 + i, (doc) => doc.splice(['text'], 200_000 + i, 0, 'x')),
  )
  expect(Math.min(...keys)).toBeLessThan(10)
  // Applied, it would take at least 100 ms at once.
  expect(timed(7, (doc) => doc.splice(['text'], 100_000, 20_000, ''))).toBeLessThan(75)
  expect(reader.version).toBe(author.version)
  expect((reader.mirror as { text: string }).text).toHaveLength(380_005)
})
