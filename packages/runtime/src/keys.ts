import { concatBytes, fromHex, toHex, utf8, type DeviceId, type Range } from '@peerplane/core'

/*
 * Keys of the runtime in the store. Tables below 0x30 belong to the log and the rows.
 *
 *   0x30                membership of this device
 *   0x31 device         a device that is a member for sure: it was let in here, or what it wrote was
 *   0x32 operation id   the outcome of an operation
 */

const table = (byte: number, rest: Uint8Array = new Uint8Array(0)): Uint8Array =>
  concatBytes(Uint8Array.of(byte), rest)

/** Key of the membership record. */
export const membershipKey: Uint8Array = table(0x30)

/** Key that exists once `device` is known. */
export const knownDeviceKey = (device: DeviceId): Uint8Array => table(0x31, fromHex(device))

/** The device of such a key. */
export const deviceOfKey = (key: Uint8Array): DeviceId => toHex(key.subarray(1)) as DeviceId

/** All known devices. */
export const knownDeviceRange: Range = { from: table(0x31), to: table(0x32) }

/** Key of the outcome of an operation. */
export const operationKey = (operationId: string): Uint8Array => table(0x32, utf8(operationId))
