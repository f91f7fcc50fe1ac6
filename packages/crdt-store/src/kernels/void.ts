import type { Value } from '@peerplane/core'

/** Thrown inside kernels for an op that breaks a rule. It never leaves the native model. */
export class Void extends Error {}

/** The items of an array of `length`; without it of any. Throws `Void`. */
export function items(value: Value | undefined, length?: number): readonly Value[] {
  if (!Array.isArray(value) || (length !== undefined && value.length !== length)) {
    throw new Void('an op has a form that its kernel does not read')
  }
  return value as readonly Value[]
}

/** A whole number of at least `min`. Throws `Void`. */
export function whole(value: Value | undefined, min = 0): number {
  if (!Number.isSafeInteger(value) || (value as number) < min) throw new Void('not a whole number')
  return value as number
}
