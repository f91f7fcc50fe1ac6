import { describe, expect, it } from 'vitest'

import type { PeerplaneError } from '../errors.ts'
import { limits } from '../limits.ts'
import { checkInvitationTime, clockDoubt, dateText, RELEASED_MS } from './clocks.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const YEAR = 365 * DAY
const now = RELEASED_MS + 30 * DAY
const longest = limits.invitationHours * HOUR

describe('the time of an invitation', () => {
  const messageAt = (notAfter: number): string => {
    try {
      checkInvitationTime(notAfter, now)
      return 'may be used'
    } catch (error) {
      return (error as PeerplaneError).message
    }
  }

  it.each([now, now + HOUR, now + longest, now + longest + DAY])('may end at %d', (notAfter) => {
    expect(messageAt(notAfter)).toBe('may be used')
  })

  it.each([
    ['just over', now - 1, 'expired-invitation'],
    ['over for ten years: made on a slow clock', now - 10 * YEAR, 'expired-invitation'],
    ['longer than any', now + longest + DAY + 1, 'wrong-clock'],
    ['ten years away: made on a fast clock', now + 10 * YEAR, 'wrong-clock'],
    ['beyond all dates', Number.MAX_SAFE_INTEGER, 'wrong-clock'],
  ])(
    'an invitation that has expired, or expires too far in the future, is refused, and the error names the expiry time and the current time: %s',
    (_, notAfter, code) => {
      expect(() => checkInvitationTime(notAfter, now)).toThrow(expect.objectContaining({ code }))
      expect(messageAt(notAfter)).toContain(dateText(notAfter))
      expect(messageAt(notAfter)).toContain(`the clock of this device says ${dateText(now)}`)
    },
  )
})

describe('a clock', () => {
  it.each<[string, number, number[], number | undefined]>([
    ['of a new space', now, [], undefined],
    ['of a new space, four years after the program', now + 4 * YEAR, [], undefined],
    ['that other devices confirm', now, [now - DAY, now - 400 * DAY], undefined],
    ['that only the device itself confirms', now, [now - 400 * DAY], now - DAY],
    ['a few hours behind others', now, [now + 23 * HOUR], undefined],
    ['behind one of three others', now, [now + YEAR, now, now], undefined],
    ['confirmed six years after the program', now + 6 * YEAR, [now + 6 * YEAR], now],
  ])('is believed: one %s', (_, at, others, self) => {
    expect(clockDoubt(at, { others, self })).toBeUndefined()
  })

  it.each<[string, number, number[], number | undefined, string]>([
    ['before this program', now - 10 * YEAR, [], undefined, 'this program was made later'],
    ['behind the only other device', now, [now + YEAR], undefined, 'have written later'],
    ['behind most others', now, [now + YEAR, now + YEAR, now], now, 'have written later'],
    ['a year ahead', now + YEAR + DAY, [now, now - DAY], now, 'no device has written'],
    ['ten years ahead', now + 10 * YEAR, [now], undefined, 'no device has written'],
    ['ten years ahead, in a new space', now + 10 * YEAR, [], undefined, 'more than five years'],
    ['ten years ahead, as it was before', now + 10 * YEAR, [], now + 10 * YEAR, 'five years'],
  ])('is in doubt: one %s', (_, at, others, self, doubt) => {
    expect(clockDoubt(at, { others, self })).toContain(doubt)
  })

  it('is considered right even if one device among many has written times that differ', () => {
    for (const ms of [0, 1, now - 10 * YEAR, now + 10 * YEAR, Number.MAX_SAFE_INTEGER]) {
      expect(clockDoubt(now, { others: [ms, now, now - DAY], self: now })).toBeUndefined()
    }
  })

  it('of the program is not later than that of this machine', () => {
    expect(RELEASED_MS).toBeLessThan(Date.now())
  })
})
