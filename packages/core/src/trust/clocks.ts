import { PeerplaneError } from '../errors.ts'
import { MAX_AHEAD_MS } from '../hybrid-clock.ts'
import { limits } from '../limits.ts'

const HOUR = 3_600_000
const YEAR = 365 * 24 * HOUR

/**
 * The release date of this program, 2026-11-01, in milliseconds since 1970: no correct clock shows an earlier time. Each release updates
 * `RELEASED_MS`.
 */
export const RELEASED_MS = 1_793_491_200_000

/**
 * Checks that an invitation that expires at `notAfter` can be used at `now`, both in milliseconds since 1970. Throws `expired-invitation` if the
 * invitation has expired, or `wrong-clock` if `notAfter` is so late that this clock, or the clock of the device that made the invitation, must be
 * wrong.
 */
export function checkInvitationTime(notAfter: number, now: number): void {
  const here = `the clock of this device says ${dateText(now)}`
  if (notAfter < now) {
    const reason = `the invitation ended at ${dateText(notAfter)}, and ${here}`
    throw new PeerplaneError('expired-invitation', reason)
  }
  if (notAfter > now + limits.invitationHours * HOUR + MAX_AHEAD_MS) {
    const reason = `the invitation ends at ${dateText(notAfter)}, and ${here}: no invitation lasts that long, so this clock is slow, or the clock of the inviting device was fast`
    throw new PeerplaneError('wrong-clock', reason)
  }
}

/**
 * Returns why a clock that shows `now` seems wrong, or `undefined` if the clock seems right. Compares the clock with the release date of this program
 * and with the time of the latest commit of each device. The time of a commit is in milliseconds since 1970, on the clock of the device that made the
 * commit.
 */
export function clockDoubt(
  now: number,
  wroteLast: { readonly others: readonly number[]; readonly self: number | undefined },
): string | undefined {
  const { others, self } = wroteLast
  if (now < RELEASED_MS) return `this program was made later, at ${dateText(RELEASED_MS)}`
  const newest = Math.max(...others, self ?? 0)
  // One device with a fast clock must not bring all others into doubt.
  const ahead = others.filter((ms) => ms > now + MAX_AHEAD_MS)
  if (ahead.length > 0 && ahead.length * 2 >= others.length) {
    return `other devices have written later, the last one at ${dateText(Math.max(...ahead))}`
  }
  if (newest > 0 && newest < now - YEAR) {
    return `no device has written for more than a year, the last one at ${dateText(newest)}`
  }
  const isConfirmed = others.some((ms) => ms > now - YEAR)
  if (!isConfirmed && now > RELEASED_MS + 5 * YEAR) {
    return `this program was made more than five years before, at ${dateText(RELEASED_MS)}`
  }
  return undefined
}

/** The last millisecond that has a date. */
const LAST_DATE_MS = 8_640_000_000_000_000

/** Formats a time, given in milliseconds since 1970, for people to read: in UTC, to the second. */
export function dateText(ms: number): string {
  if (!(Math.abs(ms) <= LAST_DATE_MS)) return `${ms} ms after 1970`
  // oxlint-disable-next-line no-restricted-globals -- formats a given time, reads no clock
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}
