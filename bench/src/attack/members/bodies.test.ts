import {
  limits,
  splitEntityKey,
  type DeviceId,
  type Random,
  type SessionId,
  type StateModel,
} from '@peerplane/core'
import { bodyAt } from '@peerplane/core/testing'
import { eventsModel, nativeModel, valueModel } from '@peerplane/crdt-store'
import { expect, it } from 'vitest'

import { kinds } from '../entities.ts'
import { bodies, large } from './bodies.ts'

const random: Random = { bytes: (length) => new Uint8Array(length) }
const device = '11'.repeat(32) as DeviceId
const session = '22'.repeat(32) as SessionId

const modelOf = (kind: keyof typeof bodies): StateModel => {
  if (kind === 'events') return eventsModel(kinds.events.state)
  return kind === 'value' ? valueModel(kinds.value.state) : nativeModel(kinds[kind].state)
}

// What is refused at once costs nobody anything.
it.each(Object.keys(bodies) as (keyof typeof bodies)[])(
  'three of four bodies for a %s have all the effect that they ask for',
  async (kind) => {
    const state = await modelOf(kind).open(undefined)
    const shown = new Set([state.mirror])
    const refused: number[] = []
    for (const turn of [1, 2, 3]) {
      const origin = { device, session, seq: turn, time: { ms: turn, counter: 0 } }
      const body = bodyAt(origin, bodies[kind](turn, random, turn))
      if (state.fold([body]).length > 0) refused.push(turn)
      shown.add(state.mirror)
      expect(state.problem).toBeUndefined()
    }
    expect(refused).toEqual([3])
    expect(shown.size).toBeGreaterThan(1)
  },
)

it.each(Object.entries(large))(
  'a large commit is within the limits and has effect: %s',
  async (_, make) => {
    const contents = make(1, random, 1)
    const bytes = contents.reduce((sum, { body }) => sum + body.length, 0)
    expect(bytes).toBeLessThan(limits.commitBytes)
    expect(contents.length).toBeLessThanOrEqual(limits.sections)
    for (const { entity, body } of contents) {
      const kind = splitEntityKey(entity).type as keyof typeof kinds
      const state = await nativeModel(kinds[kind].state).open(undefined)
      const origin = { device, session, seq: 1, time: { ms: 1, counter: 0 } }
      expect(state.fold([bodyAt(origin, body)])).toEqual([])
      expect(state.problem).toBeUndefined()
    }
  },
)
