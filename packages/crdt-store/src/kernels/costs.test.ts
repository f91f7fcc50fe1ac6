import {
  decodeCanonical,
  encodeCanonical,
  limits,
  PREFIX_BYTES,
  register,
  SESSION_BYTES,
  type DeviceId,
  type Json,
  type SessionId,
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
    const state = await nativeModel(register<Json>('')).open(undefined)
    let seq = 0
    const fold = (): void => {
      const origin = { device, session, seq: ++seq, time: { ms: 0, counter: 0 } }
      expect(state.fold([bodyAt(origin, bytes)])).toEqual([])
    }
    const decoding = leastTime(() => decodeCanonical(bytes))
    expect(leastTime(fold) / decoding).toBeLessThan(8)
  },
)

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
