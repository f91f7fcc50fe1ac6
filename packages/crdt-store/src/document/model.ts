import {
  documentMethods,
  PeerplaneError,
  type DocumentShape,
  type Json,
  type StateModel,
} from '@peerplane/core'

import type { WholeContent } from '../whole/whole-content.ts'
import { wholeModel, type WinsOption } from '../whole/whole-model.ts'
import { automerge } from './automerge.ts'
import { DefaultMaker, type Default, type Tree } from './defaults.ts'
import { DocumentState } from './document-state.ts'
import type { Automerge, DocumentReplica } from './library.ts'
import { toPlain } from './plain.ts'
import { decodeSnapshot } from './snapshot.ts'

/**
 * The state model of documents: Automerge, which is loaded by this call.
 *
 * A section body is the changes of one command as uncompressed change chunks of Automerge, with the initial state if they are the first to build on it. Throws `unreadable` when the kernel cannot be loaded, and
 * `invalid-declaration` for an initial state that is not JSON or has a member with the name of a method of documents.
 */
export const documentModel = async (
  shape: DocumentShape<{ readonly [key: string]: Json }>,
  options: WinsOption = {},
): Promise<StateModel> => wholeModel(await documentKind(shape), options)

/** What a document holds from its creation to its deletion. Rejects as {@link documentModel}. */
export async function documentKind({
  initial,
}: DocumentShape<{ readonly [key: string]: Json }>): Promise<WholeContent> {
  const library = await automerge()
  const maker = new DefaultMaker(library)
  const tree = declaredTree(initial)
  const declared = { maker, tree, declared: declaredPlaces(maker, tree) }
  return {
    version: 1,
    judgesLater: true,
    create: () => new DocumentState(declared, maker.empty(), nothing),
    load(snapshot) {
      const { saved, ...rest } = decodeSnapshot(snapshot)
      return new DocumentState(declared, load(library, saved), rest, snapshot.length)
    },
  }
}

const nothing = { banned: [], waiting: [], kinds: [] } as const

function declaredTree(initial: Tree): Tree {
  const taken = documentMethods.find((name) => name in initial)
  if (taken !== undefined) {
    throw new PeerplaneError(
      'invalid-declaration',
      `a document has a member "${taken}", which is a method of all documents`,
    )
  }
  return declaring(() => toPlain(initial, 0) as Tree)
}

const declaredPlaces = (maker: DefaultMaker, tree: Tree): readonly Default[] =>
  declaring(() => maker.of(tree))

function declaring<T>(make: () => T): T {
  try {
    return make()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new PeerplaneError('invalid-declaration', `the initial state of a document: ${reason}`, {
      cause,
    })
  }
}

/** The replica of what Automerge has saved on this device. */
function load(library: Automerge, saved: Uint8Array): DocumentReplica {
  try {
    const replica = library.getBackend(library.load(saved))
    // Loading leaves it recording patches, which nobody reads.
    replica.resetDiffCursor()
    return replica
  } catch (cause) {
    throw new PeerplaneError('unreadable', 'the snapshot of a document is damaged', { cause })
  }
}
