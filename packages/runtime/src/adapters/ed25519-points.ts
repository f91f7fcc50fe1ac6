/*
 * Implementations of Ed25519 disagree about two kinds of points: those of small order, whose signatures fit any message, and those not
 * written in the one canonical way. No honest key or signature has them. Refusing them before the platform is asked makes every device
 * decide alike.
 *
 * Sources: RFC 8032, section 5.1.3; Chalkias, Garillot, Nikolaenko, "Taming the many EdDSAs" (2020); the table is that of the subgroup of
 * order 8 of edwards25519.
 */

import { fromHex } from '@peerplane/core'

/** Whether 32 bytes are the y coordinate of a point below the field prime, and no point of small order. */
export const isPlainPoint = (point: Uint8Array): boolean =>
  isBelowPrime(point) && !smallOrder.some((y) => equalsIgnoringSign(point, y))

/** The distinct y coordinates of the points of order 1, 2, 4 and 8, little endian. */
const smallOrder = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
].map((hex) => fromHex(hex))

/** y < 2^255 - 19; the highest bit is the sign of x. */
function isBelowPrime(point: Uint8Array): boolean {
  if ((point[31]! & 0x7f) !== 0x7f || point[0]! < 0xed) return true
  return point.subarray(1, 31).some((byte) => byte !== 0xff)
}

const equalsIgnoringSign = (point: Uint8Array, y: Uint8Array): boolean =>
  y.every((byte, i) => byte === (i === 31 ? point[i]! & 0x7f : point[i]))
