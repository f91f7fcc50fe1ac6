import { expect, it } from 'vitest'

import { systemRandom } from './random.ts'

it('fills more bytes than the platform gives at once', () => {
  const bytes = systemRandom.bytes(200_000)
  expect(bytes).toHaveLength(200_000)
  // A run of 64 zeros in random bytes has a chance below 2^-490.
  for (const at of [0, 65_536, 131_072, 199_936]) {
    expect(bytes.subarray(at, at + 64).some((byte) => byte !== 0)).toBe(true)
  }
  expect(systemRandom.bytes(0)).toHaveLength(0)
})
