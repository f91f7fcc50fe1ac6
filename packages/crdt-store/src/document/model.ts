import {
  PeerplaneError,
  toHex,
  type DocumentShape,
  type EntityState,
  type Json,
  type StateModel,
} from '@peerplane/core'

import { automerge } from './automerge.ts'
import { DocumentState } from './document-state.ts'
import type { Automerge, Replica } from './library.ts'
import { toPlain } from './plain.ts'
import { decodeSnapshot } from './snapshot.ts'

/**
 * The state model of documents: Automerge, which is loaded by this call.
 *
 * A section body is one uncompressed change chunk of Automerge. Throws `unreadable` when the kernel cannot be loaded, and
 * `invalid-declaration` for an initial state that is not JSON or has a member called `splice`.
 */
export async function documentModel(
  shape: DocumentShape<{ readonly [key: string]: Json }>,
): Promise<StateModel> {
  const library = await automerge()
  const initial = initialReplica(library, shape.initial)
  const root = initial.getHeads()[0]!
  return {
    version: 1,
    async open(snapshot): Promise<EntityState> {
      if (!snapshot) return new DocumentState(initial.clone(), [], [])
      const { saved, banned, waiting } = decodeSnapshot(snapshot)
      return new DocumentState(load(library, saved, root), banned, waiting)
    },
  }
}

/**
 * A replica with the first change of every document of this shape: made by nobody, at time 0, in the order of sorted keys. It is the
 * same on every device and never sent, so all share the texts and lists that they edit.
 */
function initialReplica(library: Automerge, initial: Json): Replica {
  if (typeof initial === 'object' && initial !== null && 'splice' in initial) {
    throw new PeerplaneError(
      'invalid-declaration',
      'a document has a member "splice", which is how its texts are edited',
    )
  }
  let plain: Json
  try {
    plain = toPlain(initial, 0)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new PeerplaneError('invalid-declaration', `the initial state of a document: ${reason}`, {
      cause,
    })
  }
  const replica = library.getBackend(library.init({ actor: toHex(new Uint8Array(16)) }))
  replica.resetDiffCursor()
  replica.initRootFromHydrate(plain)
  if (replica.pendingOps() > 0) replica.commit(null, 0)
  else replica.emptyChange(null, 0)
  return replica
}

/** The replica of what Automerge has saved on this device. */
function load(library: Automerge, saved: Uint8Array, root: string): Replica {
  let replica: Replica
  try {
    replica = library.getBackend(library.load(saved))
  } catch (cause) {
    throw new PeerplaneError('unreadable', 'the snapshot of a document is damaged', { cause })
  }
  // Loading leaves it recording patches, which nobody reads.
  replica.resetDiffCursor()
  if (replica.getChangeMetaByHash(root) === null) {
    throw new PeerplaneError('unreadable', 'this document was made with another initial state')
  }
  return replica
}
