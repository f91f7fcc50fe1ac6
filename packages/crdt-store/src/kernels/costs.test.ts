import {
  counter,
  decodeCanonical,
  encodeCanonical,
  limits,
  map,
  PREFIX_BYTES,
  record,
  register,
  SESSION_BYTES,
  type DeviceId,
  type Json,
  type SessionId,
  type Shape,
  type Value,
} from '@peerplane/core'
import { bodyAt, processorTime } from '@peerplane/core/testing'
import { expect, test } from 'vitest'

import { nativeModel } from './native-model.ts'

const session = '05'.repeat(SESSION_BYTES) as SessionId
const device = '0d'.repeat(32) as DeviceId
const stranger: readonly Value[] = [new Uint8Array(SESSION_BYTES), 1, new Uint8Array(PREFIX_BYTES)]

/** About a megabyte each. What a body costs is bounded by its bytes, so each byte has to be cheap. */
const bodies: Readonly<Record<string, Uint8Array>> = {
  'names in many ops': writes(limits.opsPerSection, '', namesOf(95)),
  'names in one op': writes(1, '', namesOf(limits.opsPerSection * 95)),
  'values of many parts': writes(
    limits.opsPerSection,
    Array.from({ length: 90 }, () => []),
    [],
  ),
}

// It costs about four times as much. With a text made for each name, or each value frozen, it was more than eleven times.
test.each(Object.entries(bodies))(
  'folding a body costs at most eight times what decoding it costs: %s',
  async (_, bytes) => {
    const decoding = leastTime(() => decodeCanonical(bytes))
    expect((await folding(register<Json>(''), bytes)) / decoding).toBeLessThan(8)
  },
)

const shape = record({ total: counter(), names: map(map(register(''))) })
/** Ops of another kind, and at what place. */
const others: Readonly<Record<string, Value>> = {
  'a record itself': 1,
  'a field': ['total', [0, '', []]],
  'a key below a field': ['names', [3, 'a', [3, 'b', 1]]],
  'an addition to a set': ['names', [1, 'a']],
}

// When they were thrown, such ops cost up to 20 times as much as valid ones.
test.each(Object.entries(others))(
  'an op of another kind costs at most twice as much as a valid one: %s',
  async (_, op) => {
    const times = (each: Value): Uint8Array =>
      encodeCanonical([[], Array.from({ length: limits.opsPerSection }, () => each)])
    const valid = await folding(shape, times(['names', [3, 'a', [3, 'b', [0, '', []]]]]))
    expect((await folding(shape, times(op))) / valid).toBeLessThan(2)
  },
)

/** The time that a state of `shape` takes to fold a body. */
async function folding(shape: Shape, bytes: Uint8Array): Promise<number> {
  const state = await nativeModel(shape).open(undefined)
  let seq = 0
  return leastTime(() => {
    const origin = { device, session, seq: ++seq, time: { ms: 0, counter: 0 } }
    expect(state.fold([bodyAt(origin, bytes)])).toEqual([])
  })
}

function writes(count: number, value: Value, names: readonly Value[]): Uint8Array {
  return encodeCanonical([
    [...stranger],
    Array.from({ length: count }, () => [0, value, [...names]]),
  ])
}

function namesOf(count: number): readonly Value[] {
  return Array.from({ length: count }, () => 0)
}

/** Of several times, the first of which warm up. */
function leastTime(work: () => void): number {
  const times = Array.from({ length: 6 }, () => {
    const start = processorTime()
    work()
    return processorTime() - start
  })
  return Math.min(...times)
}
