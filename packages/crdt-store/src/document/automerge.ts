import { PeerplaneError } from '@peerplane/core'

import type { Automerge, DocumentReplica } from './library.ts'

let loading: Promise<Automerge> | undefined

/** Loads JavaScript and WASM (1.1 MB compressed) with the first document. Throws `unreadable`; the next call tries again. */
export async function automerge(): Promise<Automerge> {
  loading ??= import('#automerge').then(({ loadAutomerge }) => loadAutomerge())
  try {
    return await loading
  } catch (cause) {
    loading = undefined
    throw new PeerplaneError('unreadable', 'the document kernel could not be loaded', { cause })
  }
}

/** A copy with another author. A copy begins to record patches, which nobody reads and which take more memory and time than the changes. */
export function copyOf(replica: DocumentReplica, actor?: string): DocumentReplica {
  const copy = replica.clone(actor)
  copy.resetDiffCursor()
  return copy
}

/** Frees a replica, also one that a failure has left in an unknown state. */
export function free(replica: DocumentReplica): void {
  try {
    replica.free()
  } catch {
    // Ignored: what cannot be freed is lost with its module.
  }
}
