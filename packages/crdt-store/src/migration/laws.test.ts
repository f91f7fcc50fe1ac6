import {
  entity,
  migrate,
  record,
  register,
  storedShape,
  type DeviceId,
  type Draft,
  type EntityState,
  type HandleOf,
  type SessionId,
} from '@peerplane/core'
import { bodyAt, rounds } from '@peerplane/core/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { nativeModel } from '../kernels/native-model.ts'
import { migratedModel } from './migrated-model.ts'

/*
 * The laws of lenses, for arbitrary pure functions: a conversion need neither be lossless nor have an inverse.
 */

const VALUES = 4
const value = fc.nat(VALUES - 1)
/** A function between values, as a table. */
const table = fc.array(value, { minLength: VALUES, maxLength: VALUES })

const first = record({ old: register(0) })
const last = record({ now: register(0) })
const oldModel = nativeModel(first)

interface Tables {
  readonly up: readonly number[]
  readonly down: readonly number[]
}

function modelOf({ up, down }: Tables): ReturnType<typeof migratedModel> {
  const { shape, lens } = storedShape(
    entity('thing', {
      version: 2,
      state: last,
      migrations: migrate(first).convert('old', 'now', register(0), {
        up: (x) => up[x]!,
        down: (x) => down[x]!,
      }),
      commands: {},
    }),
  )
  return migratedModel(nativeModel(shape), lens)
}

/** Two devices that always know of each other: the first has the older version of the app. */
class Pair {
  readonly old: EntityState
  readonly new: EntityState
  readonly #seqs = [0, 0]

  constructor(old: EntityState, newer: EntityState) {
    this.old = old
    this.new = newer
  }

  static async open(tables: Tables): Promise<Pair> {
    return new Pair(await oldModel.open(undefined), await modelOf(tables).open(undefined))
  }

  get shown(): number {
    return (this.new.mirror as { readonly now: number }).now
  }

  get shownOld(): number {
    return (this.old.mirror as { readonly old: number }).old
  }

  /** Sets the register of one of the versions. Returns whether that made a commit. */
  set(version: 'old' | 'new', to: number): boolean {
    return this.#command(version, (draft) => {
      if (version === 'old') (draft.handle as HandleOf<typeof first>).old.set(to)
      else {
        const { now } = draft.handle as HandleOf<typeof last>
        now.set(to)
        if (now.value !== to) throw new Error('a command does not see what it has written')
      }
    })
  }

  #command(version: 'old' | 'new', run: (draft: Draft) => void): boolean {
    const device = version === 'old' ? 0 : 1
    const seq = ++this.#seqs[device]!
    const origin = {
      device: `0${device}`.repeat(32) as DeviceId,
      session: `0${device}`.repeat(16) as SessionId,
      seq,
      time: { ms: this.#seqs[0]! + this.#seqs[1]!, counter: 0 },
    }
    const draft = this[version].begin(origin)
    run(draft)
    const bytes = draft.finish()
    if (!bytes) return false
    const body = bodyAt(origin, bytes)
    this[version].identify(body)
    const voids = this[version === 'old' ? 'new' : 'old'].fold([body])
    if (voids.length > 0) throw new Error('a body is void')
    return true
  }
}

const write = fc.record({ version: fc.constantFrom('old' as const, 'new' as const), to: value })

test('a conversion shows what was written, and writing what is shown changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({ up: table, down: table }),
      fc.array(write, { minLength: 1, maxLength: 8 }),
      async (tables, writes) => {
        const { up, down } = tables
        const pair = await Pair.open(tables)
        const written = new Set([0])
        for (const { version, to } of writes) {
          if (version === 'new') written.add(to)
          const { shown, shownOld } = pair
          const isCommit = pair.set(version, to)
          // It is converted up, unless a value of the newer app is the same for the older app.
          const isKept = written.has(pair.shown) && down[pair.shown] === to
          const laws =
            version === 'new'
              ? {
                  'only a change makes a commit': isCommit === (to !== shown),
                  PutGet: pair.shown === to,
                  'PutGet of the older app': pair.shownOld === (isCommit ? down[to] : shownOld),
                }
              : { PutGet: pair.shownOld === to, up: isKept || pair.shown === up[to] }
          expect(Object.entries(laws).filter(([, holds]) => !holds)).toEqual([])
          // GetPut
          expect(pair.set('new', pair.shown)).toBe(false)
        }
        const other = await Pair.open(tables)
        for (const { version, to } of writes) other.set(version, to)
        // PutPut
        const [one, two] = [pair.shown, pair.shown].map((shown, i) => (shown + 1 + i) % VALUES)
        pair.set('new', one!)
        pair.set('new', two!)
        other.set('new', two!)
        expect([pair.shown, pair.shownOld]).toEqual([other.shown, other.shownOld])
      },
    ),
    { numRuns: rounds(200) },
  )
})
