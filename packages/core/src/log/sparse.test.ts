import fc from 'fast-check'
import { expect, test } from 'vitest'

import { equalBytes, toHex } from '../bytes.ts'
import { entityKey, type BatchId, type DeviceId, type SessionId } from '../ids.ts'
import { hash } from '../hash.ts'
import { deterministicCrypto as crypto, seededRandom } from '../testing/deterministic.ts'
import { makeBatch, signBatch } from './batch.ts'
import { makeCommit, sectionLeaf, type Section } from './commit.ts'
import { merkleRoot } from './merkle.ts'
import { toSparse, verifySparse, type SparseCommit, type SparseSection } from './sparse.ts'

const random = seededRandom(3)
const key = await crypto.keyFromSeed(random.bytes(32))
const device = toHex(key.publicKey) as DeviceId
const session = toHex(hash('test', Uint8Array.of(1)).slice(0, 16)) as SessionId
const previous = toHex(hash('test', Uint8Array.of(2))) as BatchId

const sectionOf = (index: number): Section => ({
  entity: entityKey('t', `e${index}`),
  modelVersion: 1,
  body: Uint8Array.of(index),
})

/** The proof of a commit with `count` sections that shows those which `shows` accepts. */
async function proofOf(count: number, shows: (index: number) => boolean): Promise<SparseCommit> {
  const seed = random.bytes(16)
  const sections = Array.from({ length: count }, (_, index) => sectionOf(index))
  const header = { deps: [], digest: new Uint8Array(0), time: { ms: 1, counter: 0 } }
  const commit = makeCommit(session, { ...header, seq: 1 }, sections, seed)
  const batch = await signBatch(makeBatch(previous, [commit], seed), key)
  return toSparse(batch, 1, (section) => shows(section.body[0]!))!
}

const leafOf = (each: SparseSection): Uint8Array =>
  each.shown ? sectionLeaf(each.salt, each.section) : each.leaf

const hidden = (leaf: Uint8Array): SparseSection => ({ shown: false, leaf })

/** What a forger can do to the list of sections, beginning at one of them. */
const forgeries: readonly ((list: readonly SparseSection[], at: number) => SparseSection[])[] = [
  () => [],
  (list, at) => list.toSpliced(at, 1),
  (list, at) => list.slice(at),
  (list, at) => list.toSpliced(at, 0, list[at]!),
  (list, at) => list.toSpliced(at, 0, hidden(new Uint8Array(32))),
  // A node of the tree in place of what is below it.
  (list, at) => list.toSpliced(at, 2, hidden(merkleRoot(list.slice(at, at + 2).map(leafOf)))),
  (list, at) => list.toSpliced(at, 4, hidden(merkleRoot(list.slice(at, at + 4).map(leafOf)))),
  (list) => [hidden(merkleRoot(list.map(leafOf)))],
  (list, at) => [list[at]!, ...list.toSpliced(at, 1)],
  (list, at) => list.with(at, hidden(hash('node', leafOf(list[at]!)))),
]

const sameSections = (one: readonly SparseSection[], other: readonly SparseSection[]): boolean =>
  one.length === other.length &&
  one.every((each, index) => equalBytes(leafOf(each), leafOf(other[index]!)))

test('a proof shows any part of the sections, and never another number or another list of them', () =>
  fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 9 }),
      fc.nat(511),
      fc.array(fc.tuple(fc.nat(forgeries.length - 1), fc.nat(8)), { minLength: 1, maxLength: 3 }),
      async (count, mask, steps) => {
        const proof = await proofOf(count, (index) => ((mask >> index) & 1) === 1)
        expect(await verifySparse(proof, device, crypto)).toBe(true)
        let { sections } = proof
        for (const [kind, at] of steps) {
          if (sections.length > 0) sections = forgeries[kind]!(sections, at % sections.length)
          else sections = [hidden(new Uint8Array(32))]
        }
        if (sameSections(sections, proof.sections)) return
        expect(await verifySparse({ ...proof, sections }, device, crypto)).toBe(false)
      },
    ),
    { numRuns: 400 },
  ))

test('a proof cannot hide that a commit has sections', async () => {
  const proof = await proofOf(3, () => true)
  expect(await verifySparse({ ...proof, sections: [] }, device, crypto)).toBe(false)
})

test('a proof cannot show three sections as two', async () => {
  const proof = await proofOf(3, () => true)
  const [one, two, three] = proof.sections.map(leafOf)
  const sections = [hidden(merkleRoot([one!, two!])), hidden(three!)]
  expect(await verifySparse({ ...proof, sections }, device, crypto)).toBe(false)
})
