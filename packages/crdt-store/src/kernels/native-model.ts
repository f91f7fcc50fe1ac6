import type { Shape, StateModel } from '@peerplane/core'

/**
 * The state model of a shape made of counters, registers, sets, maps and records.
 *
 * Throws `invalid-declaration` for a shape that has no native kernel.
 */
export function nativeModel(shape: Shape): StateModel {
  return { version: 1, eager: true, open: () => Promise.reject(new Error(`no ${shape.kind} yet`)) }
}
