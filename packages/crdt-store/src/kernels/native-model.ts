import {
  decodeCanonical,
  PeerplaneError,
  type Shape,
  type StateModel,
  type Wins,
} from '@peerplane/core'

import { kernelOf } from './kernel-of.ts'
import { NativeState } from './native-state.ts'

/** Version of the ops and snapshots of all native kernels. */
const NATIVE_VERSION = 1

/**
 * Makes the state model for a shape that consists of counters, registers, sets, maps and records.
 *
 * The option `wins` says what is left of an entity that one device deletes while another device changes it.
 *
 * Throws `invalid-declaration` if the shape contains a different kind, such as a document.
 */
export function nativeModel(
  shape: Shape,
  { wins = 'update' }: { readonly wins?: Wins } = {},
): StateModel {
  const kernel = kernelOf(shape)
  const closes = wins === 'removal'
  return {
    version: NATIVE_VERSION,
    open: async (snapshot) => {
      if (!snapshot) return NativeState.empty(kernel, closes)
      try {
        return NativeState.load(kernel, closes, decodeCanonical(snapshot))
      } catch (cause) {
        throw new PeerplaneError('unreadable', 'the stored state is damaged', { cause })
      }
    },
  }
}
