import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'

import { compareBytes } from '../bytes.ts'
import { entity } from '../entity/entity.ts'
import { map, record, register, set } from '../entity/shapes.ts'
import { utf8 } from '../text.ts'
import { anyId, anyName, anyText, brokenText } from './any-text.ts'

/** An entity that holds texts at every place where a text can stand. */
const Cell = entity('cell', {
  state: record({ text: register(''), words: set(), notes: map(register('')) }),
  commands: {
    write(cell, text: string) {
      cell.text.set(text)
      cell.words.add(text)
      cell.notes.get(text).set(text)
      return text
    },
  },
})

interface Content {
  readonly text: string
  readonly words: readonly string[]
  readonly notes: { readonly [key: string]: string }
}
interface Listed {
  readonly id: string
  readonly state: Content
}
interface Query {
  readonly prefix?: string
  readonly after?: string
  readonly limit?: number
}
type Options = { readonly durability: 'memory'; readonly operationId?: string }

/** As much of a plane as the contract needs. */
export interface ListedPlane {
  get(
    type: typeof Cell,
    id: string,
  ): {
    write(text: string, options: Options): Promise<{ readonly reply: string }>
    state(): Promise<Content>
  }
  list(type: typeof Cell, query?: Query): Promise<readonly Listed[]>
  subscribe(
    type: typeof Cell,
    listener: (rows: readonly Listed[]) => void,
    query?: Query,
  ): () => void
  close(): Promise<void>
}

/** A plane over an empty store, and the way to open that store again. */
export interface ListsFixture {
  readonly plane: ListedPlane
  /** Called once, after `plane` was closed. */
  reopen(): Promise<ListedPlane>
}

/**
 * The tests that every plane passes, over whatever store and through whatever tab: texts come back as they were written, and lists and live
 * lists agree. `open` gives a plane that declares the given entities, over a new store, at every call.
 */
export function listsContract(
  name: string,
  open: (entities: readonly [typeof Cell]) => Promise<ListsFixture>,
): void {
  const opened: ListedPlane[] = []
  const fresh = async (): Promise<ListsFixture> => {
    const { plane, reopen } = await open([Cell])
    opened.push(plane)
    return {
      plane,
      reopen: async () => {
        const again = await reopen()
        opened.push(again)
        return again
      },
    }
  }

  describe(`lists contract: ${name}`, () => {
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((plane) => plane.close()))
    })

    test('lists and live lists agree, and every text is read back as it was written, also after reopening', async () => {
      const { plane, reopen } = await fresh()
      const texts = new Map<string, string[]>()
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(anyId, anyText), { minLength: 1, maxLength: 4 }),
          fc.array(anyQuery, { minLength: 1, maxLength: 3 }),
          async (written, queries) => {
            const live = queries.map((query) => watch(plane, query))
            const before = (await plane.list(Cell)).length
            expect(before).toBe(texts.size)
            for (const [id, text] of written) {
              texts.set(id, [...(texts.get(id) ?? []), text])
              const { reply } = await plane.get(Cell, id).write(text, { durability: 'memory' })
              expect(reply).toBe(text)
            }
            for (const [at, query] of queries.entries()) {
              const right = selected(texts, query)
              expect(await plane.list(Cell, query)).toEqual(right)
              await vi.waitFor(() => expect(live[at]!.shown).toEqual(right), WAIT)
            }
            for (const { stop } of live) stop()
          },
        ),
        { numRuns: 25 },
      )
      await plane.close()
      const again = await reopen()
      expect(await again.list(Cell)).toEqual(selected(texts, {}))
      for (const [id, written] of texts) {
        expect(await again.get(Cell, id).state()).toEqual(contentOf(written))
      }
    })

    test('a thousand ids that begin with a byte order mark are listed together with other ids', async () => {
      const { plane, reopen } = await fresh()
      const ids = Array.from({ length: 1_100 }, (_, i) => `\uFEFF${i}`).concat('1', '2')
      const durability = 'memory'
      for (let from = 0; from < ids.length; from += 200) {
        const some = ids.slice(from, from + 200)
        await Promise.all(some.map((id) => plane.get(Cell, id).write(id, { durability })))
      }
      const right = selected(new Map(ids.map((id) => [id, [id]])), {})
      expect(await plane.list(Cell)).toEqual(right)
      await plane.close()
      const again = await reopen()
      expect(await again.list(Cell)).toEqual(right)
      const live = watch(again, {})
      await vi.waitFor(() => expect(live.shown).toEqual(right), WAIT)
      live.stop()
    })

    test('a text with a lone surrogate is refused everywhere, and nothing changes', async () => {
      const { plane } = await fresh()
      const cell = plane.get(Cell, 'a')
      await cell.write('a', { durability: 'memory' })
      const invalid = { code: 'invalid-input' }
      await fc.assert(
        fc.asyncProperty(brokenText, async (broken) => {
          const durability = 'memory'
          await expect(cell.write(broken, { durability })).rejects.toMatchObject(invalid)
          const operation = cell.write('b', { durability, operationId: broken })
          await expect(operation).rejects.toMatchObject(invalid)
          expect(() => plane.get(Cell, broken)).toThrow(expect.objectContaining(invalid))
          for (const query of [{ prefix: broken }, { after: broken }]) {
            await expect(plane.list(Cell, query)).rejects.toMatchObject(invalid)
          }
        }),
        { numRuns: 10 },
      )
      expect(await plane.list(Cell)).toEqual([{ id: 'a', state: contentOf(['a']) }])
    })
  })
}

const WAIT = { timeout: 10_000, interval: 10 }

const anyQuery: fc.Arbitrary<Query> = fc.record(
  { prefix: anyName, after: anyName, limit: fc.nat(4) },
  { requiredKeys: [] },
)

function watch(plane: ListedPlane, query: Query): { shown?: readonly Listed[]; stop(): void } {
  const live: { shown?: readonly Listed[]; stop(): void } = { stop: () => undefined }
  live.stop = plane.subscribe(Cell, (rows) => (live.shown = rows), query)
  return live
}

/** What is to be listed, from the texts that were written. */
function selected(texts: ReadonlyMap<string, readonly string[]>, query: Query): Listed[] {
  const { prefix = '', after, limit } = query
  return [...texts]
    .filter(([id]) => id.startsWith(prefix) && (after === undefined || byBytes(id, after) > 0))
    .sort(([a], [b]) => byBytes(a, b))
    .slice(0, limit)
    .map(([id, written]) => ({ id, state: contentOf(written) }))
}

function contentOf(written: readonly string[]): Content {
  const words = [...new Set(written)].sort(byBytes)
  const notes = Object.create(null) as { [key: string]: string }
  for (const word of words) notes[word] = word
  return { text: written.at(-1)!, words, notes: { ...notes } }
}

const byBytes = (a: string, b: string): number => compareBytes(utf8(a), utf8(b))
