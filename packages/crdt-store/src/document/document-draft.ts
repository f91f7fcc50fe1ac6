import { limits, PeerplaneError, type Draft } from '@peerplane/core'

import { Access } from './access.ts'
import { free } from './automerge.ts'
import type { Replica } from './library.ts'
import { documentHandle } from './handle.ts'

/** What a draft needs of the state it belongs to. */
export interface DraftOwner {
  /**
   * Called when the draft ends, with the replica to go on with and the change that it holds now or `reverted` when it was taken back.
   * Throws `void` when other devices would refuse the change.
   */
  ended(replica: Replica, change?: Uint8Array | 'reverted'): void
}

/**
 * A command in progress on a document: one open transaction, which becomes one change.
 *
 * `at` are the heads that the caller saw, where they are not those of the replica.
 */
export class DocumentDraft implements Draft {
  readonly handle: object
  readonly #owner: DraftOwner
  readonly #access: Access
  readonly #isBranch: boolean
  #replica: Replica
  #phase: 'open' | 'finished' | 'committed' | 'reverted' = 'open'

  constructor(owner: DraftOwner, replica: Replica, at: string[] | undefined) {
    this.#owner = owner
    this.#replica = replica
    this.#isBranch = at !== undefined
    if (at) replica.isolate(at)
    this.#access = new Access(replica)
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
      this.#end('finished')
      return undefined
    }
    if (ops > limits.documentOps) {
      throw new PeerplaneError('too-large', `a command makes ${ops} changes to a document`)
    }
    const hash = replica.commit(null, 0)
    const bytes = hash === null ? null : replica.getChangeByHash(hash)
    const isSmall = bytes !== null && bytes.length <= limits.commitBytes
    this.#end('committed', isSmall ? bytes : undefined)
    if (isSmall) return bytes
    throw new PeerplaneError('too-large', `one change of a document has ${bytes?.length} bytes`)
  }

  revert(): void {
    this.#access.close()
    if (this.#phase === 'open') {
      this.#replica.rollback()
      this.#end('reverted')
    } else if (this.#phase === 'committed') {
      // Rare: another entity of the command refused after this one had agreed. Automerge cannot take a change back.
      const replica = this.#replica
      this.#replica = withoutLast(replica)
      free(replica)
      this.#end('reverted', 'reverted')
    }
  }

  #end(phase: 'finished' | 'committed' | 'reverted', change?: Uint8Array | 'reverted'): void {
    if (this.#isBranch && this.#phase === 'open') this.#replica.integrate()
    this.#phase = phase
    this.#owner.ended(this.#replica, change)
  }
}

/** `replica` before its last change: rebuilt from all others in their order, so that it also saves to the same bytes. */
function withoutLast(replica: Replica): Replica {
  const [first, ...rest] = replica.getChangesMeta([])
  const rebuilt = replica.fork(replica.getActorId(), [first!.hash])
  rebuilt.resetDiffCursor()
  rebuilt.applyChanges(rest.slice(0, -1).map(({ hash }) => replica.getChangeByHash(hash)!))
  return rebuilt
}
