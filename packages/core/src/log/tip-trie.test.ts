import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { toHex } from '../bytes.ts'
import { hash } from '../hash.ts'
import type { SessionId } from '../ids.ts'
import { utf8 } from '../text.ts'
import type { Tip } from './tip.ts'
import { LEAF_SESSIONS, TipTrie, type Summary } from './tip-trie.ts'

const idOf = (text: string): string => toHex(hash('test', utf8(text)))
const tipOf = (number: number, seq: number, mark = idOf(`${number}@${seq}`)): Tip => ({
  session: idOf(`session ${number}`) as SessionId,
  seq,
  mark: mark.slice(0, 32),
})
const trieOf = (tips: Iterable<Tip>): TipTrie => {
  const trie = new TipTrie()
  for (const tip of tips) trie.set(tip)
  return trie
}
const many = (count: number, seq = 1): Tip[] =>
  Array.from({ length: count }, (_, number) => tipOf(number, seq))

/** Every summary from the root to the leaves. */
function everything(trie: TipTrie, path = ''): Summary[] {
  const summary = trie.summary(path)
  if (summary.sessions <= LEAF_SESSIONS) return [summary]
  return [summary, ...trie.children(path).flatMap((child) => everything(trie, child.path))]
}

/** A history of one trie: tips that are set, moved and deleted, and summaries that are asked for in between. */
const histories = fc.array(
  fc.record({
    number: fc.nat({ max: 60 }),
    seq: fc.nat({ max: 4 }),
    asks: fc.constantFrom(undefined, '', '0', 'a', '7f'),
  }),
  { maxLength: 200 },
)

describe('a summary', () => {
  it('depends on the tips alone, whatever the history', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const trie = new TipTrie()
        for (const { number, seq, asks } of history) {
          const tip = tipOf(number, seq)
          if (seq > 0) trie.set(tip)
          else trie.delete(tip.session)
          if (asks !== undefined) trie.summary(asks)
        }
        expect(everything(trie)).toEqual(everything(trieOf(trie.all.values())))
        expect(trie.summary().sessions).toBe(trie.all.size)
      }),
    )
  })

  it('differs if one tip differs, in each node above it and in no other', () => {
    fc.assert(
      fc.property(fc.nat({ max: 299 }), fc.boolean(), (number, isLonger) => {
        const [ours, theirs] = [trieOf(many(300)), trieOf(many(300))]
        theirs.set(isLonger ? tipOf(number, 2) : tipOf(number, 1, idOf('another branch')))
        const { session } = tipOf(number, 1)
        const differing = everything(ours).filter(
          ({ path, digest }) => theirs.summary(path).digest !== digest,
        )
        const above = everything(ours).filter(({ path }) => session.startsWith(path))
        expect(differing).toEqual(above)
        expect(differing.length).toBeGreaterThan(1)
      }),
    )
  })

  it('counts sessions and commits', () => {
    const trie = trieOf(many(40, 5))
    expect(trie.summary()).toMatchObject({ sessions: 40, commits: 200 })
    const parts = trie.children('').reduce((sum, { commits }) => sum + commits, 0)
    expect(parts).toBe(200)
    // A session that is forked at its third commit counts with two.
    trie.set({ ...tipOf(0, 5), seq: Number.MAX_SAFE_INTEGER - 3 })
    expect(trie.summary().commits).toBe(197)
  })
})

describe('a list', () => {
  it('has every tip once, in the order in which the sessions came', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.constantFrom('', '3', 'c'), (most, path) => {
        const trie = trieOf(many(50))
        trie.set(tipOf(3, 9))
        trie.delete(tipOf(4, 1).session)
        const listed: Tip[] = []
        let after = 0
        do {
          const { tips, next } = trie.page(path, after, most)
          expect(tips.length).toBeLessThanOrEqual(most)
          listed.push(...tips)
          after = next
        } while (after > 0)
        const expected = many(50)
          .map(({ session }) => trie.all.get(session))
          .filter((tip) => tip?.session.startsWith(path))
        expect(listed).toEqual(expected)
      }),
    )
  })
})
