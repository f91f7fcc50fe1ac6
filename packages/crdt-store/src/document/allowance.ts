import { limits, type Json } from '@peerplane/core'

/*
 * Operations are run-length encoded, so a few bytes can hold very many. Every device that receives them has the work. Therefore a body may
 * have only as many as its bytes pay for: what a member makes others do grows with what that member sends. Texts that people type
 * take a byte or more for each operation. A body that does more in fewer bytes, such as one that deletes a long text, is padded.
 */

/**
 * How much work the changes in a body of this size may make; negative if its initial state alone is too much. The work of a change is the
 * number of its operations, or of those that they replace, whichever is more, and of the numbers of operations that it leaves out.
 */
export const allowed = (bodyBytes: number, places: number): number =>
  limits.documentFreeOps + limits.documentOpsPerByte * bodyBytes - PLACE_OPS * places

/** How many bytes a body lacks. */
export function missingBytes(work: number, places: number, bodyBytes: number): number {
  const beyond = work - allowed(bodyBytes, places)
  return Math.max(0, Math.ceil(beyond / limits.documentOpsPerByte))
}

/** How many places an initial state has, itself not counted. */
export const placesIn = (tree: Json | undefined): number => (tree ? placesOf(tree) - 1 : 0)

function placesOf(value: Json): number {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 1
  return Object.values(value).reduce<number>((sum, each) => sum + placesOf(each), 1)
}

/** Making the change of a place takes about as long as so many operations. */
const PLACE_OPS = 128
