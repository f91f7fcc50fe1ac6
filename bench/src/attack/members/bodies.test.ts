import type { DeviceId, Random, SessionId } from '@peerplane/core'
import { bodyAt } from '@peerplane/core/testing'
import { nativeModel } from '@peerplane/crdt-store'
import { expect, it } from 'vitest'

import { kinds } from '../entities.ts'
import { bodies } from './bodies.ts'

const random: Random = { bytes: (length) => new Uint8Array(length) }
const device = '11'.repeat(32) as DeviceId
const session = '22'.repeat(32) as SessionId

// What is refused at once costs nobody anything.
it.each(Object.keys(bodies) as (keyof typeof bodies)[])(
  'three of four bodies for a %s have all the effect that they ask for',
  async (kind) => {
    const state = await nativeModel(kinds[kind].state).open(undefined)
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
