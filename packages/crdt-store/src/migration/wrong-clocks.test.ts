import {
  entity,
  migrate,
  record,
  register,
  storedShape,
  type Body,
  type DeviceId,
  type EntityState,
  type HandleOf,
  type Json,
  type SessionId,
} from '@peerplane/core'
import { bodyAt, rounds } from '@peerplane/core/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { nativeModel } from '../kernels/native-model.ts'
import { migratedModel } from './migrated-model.ts'

/*
 * A clock that is far ahead does not move the clocks of other devices, so a write can supersede a later one. Then the latest write of the newer
 * version is not always the one that the older register shows.
 */

const first = record({ title: register(''), size: register(0) })
const last = record({ title: register(''), label: register('0 ') })
const { shape, lens } = storedShape(
  entity('thing', {
    version: 2,
    state: last,
    migrations: migrate(first).convert('size', 'label', register('0 '), {
      up: (size) => `${size} `,
      down: (label) => Number(label.split(' ')[0]),
    }),
    commands: {},
  }),
)
const models = [nativeModel(first), migratedModel(nativeModel(shape), lens)] as const

const step = fc.oneof(
  fc.record({ do: fc.constant('write' as const), at: fc.nat(3), time: fc.nat(20) }),
  fc.record({ do: fc.constant('sync' as const), from: fc.nat(3), to: fc.nat(3) }),
)

test('whatever the clocks say, a converted register shows the write that the older app shows, with its details', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const open = (version: 0 | 1): Promise<EntityState> => models[version].open(undefined)
      const states = await Promise.all(([0, 1, 0, 1] as const).map(open))
      const known: Body[][] = states.map(() => [])
      const clocks = states.map(() => 0)
      const sync = (from: number, to: number): void => {
        const fresh = known[from]!.filter((body) => !known[to]!.includes(body))
        states[to]!.fold(fresh)
        known[to]!.push(...fresh)
      }
      const labels = new Map([['', '0 ']])
      steps.forEach((each, i) => {
        if (each.do === 'sync') {
          sync(each.from, each.to)
          return
        }
        const { at } = each
        // Each clock runs forwards, as fast as it likes.
        const time = (clocks[at] = clocks[at]! + 1 + each.time)
        const title = `write ${i + 1}`
        const label = `${i + 1} ${at % 2 === 0 ? '' : title}`
        labels.set(title, label)
        const write = (handle: object): void => {
          ;(handle as Handles).title.set(title)
          if (at % 2 === 0) (handle as HandleOf<typeof first>).size.set(i + 1)
          else (handle as HandleOf<typeof last>).label.set(label)
        }
        known[at]!.push(command(states[at]!, at, { seq: i + 1, time }, write))
      })
      for (let round = 0; round < 2; round++) {
        for (const from of states.keys()) for (const to of states.keys()) sync(from, to)
      }
      const [old, now] = states.map(({ mirror }) => mirror as { readonly [name: string]: Json })
      const title = old!['title'] as string
      expect(now).toEqual({ title, label: labels.get(title) })
      expect(old!['size']).toBe(Number.parseInt(labels.get(title)!))
      expect(states[3]!.mirror).toEqual(now)
    }),
    { numRuns: rounds(200) },
  )
})

type Handles = HandleOf<typeof first> | HandleOf<typeof last>

function command(
  state: EntityState,
  device: number,
  { seq, time }: { readonly seq: number; readonly time: number },
  run: (handle: object) => void,
): Body {
  const origin = {
    device: `0${device}`.repeat(32) as DeviceId,
    session: `0${device}`.repeat(16) as SessionId,
    seq,
    time: { ms: time, counter: 0 },
  }
  const draft = state.begin(origin)
  run(draft.handle as object)
  const body = bodyAt(origin, draft.finish()!)
  state.identify(body)
  return body
}
