import { decodeCanonical, PeerplaneError, type Shape, type StateModel } from '@peerplane/core'

import { kernelOf } from './kernel-of.ts'
import { NativeState } from './native-state.ts'

/** Version of the ops and snapshots of all native kernels. */
const NATIVE_VERSION = 1

/**
 * Makes the state model for a shape that consists of counters, registers, sets, maps and records.
 *
 * Throws `invalid-declaration` if the shape contains a different kind, such as a document.
 */
export function nativeModel(shape: Shape): StateModel {
  const kernel = kernelOf(shape)
  return {
    version: NATIVE_VERSION,
    open: async (snapshot) => {
      if (!snapshot) return NativeState.empty(kernel)
      try {
        return NativeState.load(kernel, decodeCanonical(snapshot))
      } catch (cause) {
        throw new PeerplaneError('unreadable', 'the stored state is damaged', { cause })
      }
    },
  }
}
