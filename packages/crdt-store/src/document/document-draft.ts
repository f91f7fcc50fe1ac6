import { limits, PeerplaneError, type Draft } from '@peerplane/core'

import { Access } from './access.ts'
import { free } from './automerge.ts'
import type { DocumentReplica } from './library.ts'
import { documentHandle } from './handle.ts'
import type { Places } from './places.ts'

/** What a draft needs of the state it belongs to. */
export interface DraftOwner {
  /** Called when the draft ends, and its replica is to be used again. */
  ended(): void
  /** Called when its replica holds the change; gives the body for it. Throws `void` when other devices would refuse the change. */
  committed(chunk: Uint8Array): Uint8Array
  /** Called when the change was taken back, with a replica without it; the replica that held it is freed. */
  reverted(replica: DocumentReplica): void
}

/** What a draft changes. */
export interface DraftSource {
  readonly replica: DocumentReplica
  readonly places: Places
  /** The heads that the caller saw, where they are not those of the replica. */
  readonly at: string[] | undefined
}

/**
 * A command in progress on a document: one open transaction, which becomes one change.
 */
export class DocumentDraft implements Draft {
  readonly handle: object
  readonly #owner: DraftOwner
  readonly #access: Access
  readonly #isBranch: boolean
  #replica: DocumentReplica
  #phase: 'open' | 'finished' | 'committed' | 'reverted' = 'open'

  constructor(owner: DraftOwner, { replica, places, at }: DraftSource) {
    this.#owner = owner
    this.#replica = replica
    this.#isBranch = at !== undefined
    if (at) replica.isolate(at)
    this.#access = new Access(replica, places)
    this.handle = documentHandle(this.#access)
  }

  pause(): void {
    this.#access.pause()
  }

  resume(): void {
    this.#access.resume()
  }

  finish(): Uint8Array | undefined {
    this.#access.close()
    const replica = this.#replica
    const ops = replica.pendingOps()
    if (ops === 0) {
      this.#leave('finished')
      this.#owner.ended()
      return undefined
    }
    if (ops > limits.documentOps) {
      throw new PeerplaneError('too-large', `a command makes ${ops} changes to a document`)
    }
    const hash = replica.commit(null, 0)
    const bytes = hash === null ? null : replica.getChangeByHash(hash)
    this.#leave('committed')
    if (bytes !== null && bytes.length <= limits.commitBytes) {
      return this.#owner.committed(bytes)
    }
    this.#owner.ended()
    throw new PeerplaneError('too-large', `one change of a document has ${bytes?.length} bytes`)
  }

  revert(): void {
    this.#access.close()
    if (this.#phase === 'open') {
      this.#replica.rollback()
      this.#leave('reverted')
      this.#owner.ended()
    } else if (this.#phase === 'committed') {
      // Rare: another entity of the command refused after this one had agreed. Automerge cannot take a change back.
      const replica = this.#replica
      this.#replica = withoutLast(replica)
      free(replica)
      this.#leave('reverted')
      this.#owner.reverted(this.#replica)
    }
  }

  #leave(phase: 'finished' | 'committed' | 'reverted'): void {
    if (this.#isBranch && this.#phase === 'open') this.#replica.integrate()
    this.#phase = phase
  }
}

/** `replica` before its last change: rebuilt from all others in their order, so that it also saves to the same bytes. */
function withoutLast(replica: DocumentReplica): DocumentReplica {
  const [first, ...rest] = replica.getChangesMeta([])
  const rebuilt = replica.fork(replica.getActorId(), [first!.hash])
  rebuilt.resetDiffCursor()
  rebuilt.applyChanges(rest.slice(0, -1).map(({ hash }) => replica.getChangeByHash(hash)!))
  return rebuilt
}
