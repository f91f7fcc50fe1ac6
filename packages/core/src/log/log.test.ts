import { expect, test } from 'vitest'

import { encodeCanonical } from '../codec.ts'
import { entityKey, type BatchId, type SessionId } from '../ids.ts'
import { limits } from '../limits.ts'
import { decodeBatch, encodeBatch, makeBatch } from './batch.ts'
import { decodeHeader, depsDigest, encodeHeader, makeCommit, type Commit } from './commit.ts'
import { merklePath, merkleRoot, verifyMerklePath } from './merkle.ts'
import { hash } from '../hash.ts'
import { toHex } from '../bytes.ts'
import { utf8 } from '../text.ts'

const session = toHex(hash('test', utf8('session')).slice(0, 16)) as SessionId
const other = toHex(hash('test', utf8('other'))) as BatchId
const previous = toHex(hash('test', utf8('previous'))) as BatchId
const seed = new Uint8Array(16).fill(1)

const commit = (seq: number, body = 'x', deps: Commit[] = []): Commit =>
  makeCommit(
    session,
    {
      seq,
      deps: deps.map((dep) => ({ session: dep.session, seq: dep.header.seq })),
      digest: depsDigest(deps.map(({ id }) => id as string as BatchId)),
      time: { ms: 1, counter: 0 },
    },
    [{ entity: entityKey('t', 'e'), modelVersion: 1, body: utf8(body) }],
    seed,
  )

test('a Merkle path proves its leaf and no other, for every size up to 40', () => {
  for (let count = 1; count <= 40; count++) {
    const leaves = Array.from({ length: count }, (_, i) => hash('test', Uint8Array.of(i)))
    const root = merkleRoot(leaves)
    for (let index = 0; index < count; index++) {
      const path = merklePath(leaves, index)
      expect(verifyMerklePath(root, leaves[index]!, index, count, path)).toBe(true)
      const neighbour = leaves[(index + 1) % count]!
      expect(verifyMerklePath(root, neighbour, index, count, path)).toBe(count === 1)
      expect(verifyMerklePath(root, leaves[index]!, index + 1, count, path)).toBe(false)
      expect(verifyMerklePath(root, leaves[index]!, index, count, [...path, root])).toBe(false)
    }
  }
})

test('a batch decodes to what was encoded', () => {
  const batch = makeBatch(previous, [commit(1), commit(2)], seed)
  expect(decodeBatch(encodeBatch(batch), session, previous, 1)).toEqual(batch)
})

test('a batch in another place is another batch', () => {
  const bytes = encodeBatch(makeBatch(previous, [commit(1)], seed))
  const id = decodeBatch(bytes, session, previous, 1).id
  expect(decodeBatch(bytes, session, other, 1).id).not.toBe(id)
  expect(decodeBatch(bytes, session, previous, 2).id).not.toBe(id)
})

test('every change of a section, its order or its seed is noticed', () => {
  const batch = makeBatch(previous, [commit(1)], seed)
  const changed = (change: Partial<Commit>): Uint8Array =>
    encodeBatch({ ...batch, commits: [{ ...batch.commits[0]!, ...change }] })
  const [section] = batch.commits[0]!.sections
  const tampered = [
    changed({ sections: [{ ...section!, body: utf8('y') }] }),
    changed({ sections: [{ ...section!, entity: entityKey('t', 'f') }] }),
    changed({ sections: [{ ...section!, modelVersion: 2 }] }),
    changed({ sections: [section!, section!] }),
    changed({ sections: [] }),
    encodeBatch({ ...batch, seed: new Uint8Array(16) }),
  ]
  for (const bytes of tampered) {
    expect(decodeBatch(bytes, session, previous, 1).id).not.toBe(batch.id)
  }
})

test('headers keep their limits and their order', () => {
  const header = decodeHeader(commit(1).headerBytes)
  const dots = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      session: i.toString(16).padStart(32, '0') as SessionId,
      seq: 1,
    }))
  const digest = new Uint8Array(16)
  const atLimit = encodeHeader({ ...header, deps: dots(limits.deps), digest })
  expect(decodeHeader(atLimit).deps).toHaveLength(limits.deps)
  expect(() =>
    decodeHeader(encodeHeader({ ...header, deps: dots(limits.deps + 1), digest })),
  ).toThrow(expect.objectContaining({ code: 'too-large' }))
  for (const bad of [
    encodeHeader({ ...header, deps: dots(2).reverse(), digest }),
    encodeHeader({ ...header, deps: [dots(1)[0]!, dots(1)[0]!], digest }),
    encodeHeader({ ...header, deps: dots(1) }),
    encodeHeader({ ...header, seq: 0 }),
    encodeHeader({ ...header, time: { ms: 1, counter: 0x10000 } }),
    encodeCanonical([1]),
    encodeCanonical({ seq: 1 }),
  ]) {
    expect(() => decodeHeader(bad)).toThrow(expect.objectContaining({ code: 'malformed' }))
  }
})
