import { PeerplaneError } from '@peerplane/core'

/** The library, without the WASM of any environment. */
export type Automerge = typeof import('@automerge/automerge/slim')

/** A document in the memory of the WASM: its operations, without any plain state beside it. */
export type Replica = ReturnType<Automerge['getBackend']>

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

/** Frees a replica, also one that a failure has left in an unknown state. */
export function free(replica: Replica): void {
  try {
    replica.free()
  } catch {
    // What cannot be freed is lost with its module.
  }
}
