import {
  concatBytes,
  fromHex,
  fromUtf8,
  toHex,
  utf8,
  type DeviceId,
  type KeyRange,
} from '@peerplane/core'

/*
 * Keys of the runtime in the store. Tables below 0x30 belong to the log and the rows.
 *
 *   0x30                membership of this device
 *   0x31 device         a device that is a member for sure: it was let in here, or what it wrote was
 *   0x32 operation id   the outcome of an operation
 *   0x33 number         which operation was the n-th, 8 bytes
 *   0x34                seed of the key of this device, where the platform keeps no keys
 *   0x35                up to which commits sessions were held before the storage was lost
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
export const knownDeviceRange: KeyRange = { from: table(0x31), to: table(0x32) }

/** Key of the outcome of an operation. */
export const operationKey = (operationId: string): Uint8Array => table(0x32, utf8(operationId))

/** The id of the operation of such a key. */
export const operationOfKey = (key: Uint8Array): string => fromUtf8(key.subarray(1))

/** The outcomes of all operations. */
export const operationRange: KeyRange = { from: table(0x32), to: table(0x33) }

/** Key of the `ordinal`-th operation. */
export function operationOrderKey(ordinal: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(ordinal))
  return table(0x33, bytes)
}

/** Key of the seed of the device's key. */
export const seedKey: Uint8Array = table(0x34)

/** Key of the frontier that was lost. */
export const lostKey: Uint8Array = table(0x35)

/** All operations in their order. */
export const operationOrderRange: KeyRange = { from: table(0x33), to: table(0x34) }
