import { limits } from '@peerplane/core'

import type { WholeDraft } from '../whole/whole-content.ts'
import { Access } from './access.ts'
import { free } from './automerge.ts'
import type { DocumentReplica } from './library.ts'
import { documentHandle } from './handle.ts'
import type { Merge } from './merge-change.ts'
import type { Places } from './places.ts'
import { tooLarge, Transaction } from './transaction.ts'

/** What a draft needs of the state it belongs to. */
export interface DraftOwner {
  /** Called when the draft ends, and its replica is to be used again. */
  ended(): void
  /** Called when its replica holds the changes; gives the body for it. Throws `void` when other devices would refuse the change. */
  committed(chunks: Uint8Array): Uint8Array
  /** Called when the changes were taken back, with a replica without them; the replica that held them is freed. */
  reverted(replica: DocumentReplica): void
}

/** What a draft changes. */
export interface DraftSource {
  readonly replica: DocumentReplica
  readonly places: Places
  /** The heads that the caller saw, where they are not those of the replica. */
  readonly at: string[] | undefined
}

/** A command in progress on a document. */
export class DocumentDraft implements WholeDraft {
  readonly handle: object
  readonly #owner: DraftOwner
  readonly #access: Access
  readonly #isBranch: boolean
  readonly #transaction: Transaction
  #phase: 'open' | 'finished' | 'committed' | 'reverted' = 'open'

  constructor(owner: DraftOwner, { replica, places, at }: DraftSource) {
    this.#owner = owner
    this.#transaction = new Transaction(replica)
    this.#isBranch = at !== undefined
    if (at) replica.isolate(at)
    this.#access = new Access(this.#transaction, places)
    this.handle = documentHandle(this.#access)
  }

  get isUsed(): boolean {
    return this.#transaction.isUsed
  }

  pause(): void {
    this.#access.pause()
  }

  resume(): void {
    this.#access.resume()
  }

  /** Merges latest changes of the document, instead of changing anything. */
  merge(change: Merge): void {
    this.#transaction.take(change)
  }

  finish(): Uint8Array | undefined {
    this.#access.close()
    const chunks = this.#transaction.finish()
    if (!chunks) {
      this.#leave('finished')
      this.#owner.ended()
      return undefined
    }
    this.#leave('committed')
    const body = this.#owner.committed(chunks)
    if (body.length <= limits.commitBytes) return body
    throw tooLarge(`${body.length} bytes`, limits.commitBytes)
  }

  revert(): void {
    this.#access.close()
    const { replica } = this.#transaction
    if (this.#phase === 'open') {
      if (this.#transaction.full === 0) {
        replica.rollback()
        this.#leave('reverted')
        this.#owner.ended()
        return
      }
      this.#transaction.finish()
      this.#leave('committed')
    }
    if (this.#phase !== 'committed') return
    // Rare: the command failed after a full change, or another entity of it refused after this one had agreed. Automerge cannot take changes back.
    const rebuilt = withoutLast(replica, this.#transaction.full)
    free(replica)
    this.#leave('reverted')
    this.#owner.reverted(rebuilt)
  }

  #leave(phase: 'finished' | 'committed' | 'reverted'): void {
    if (this.#isBranch && this.#phase === 'open') this.#transaction.replica.integrate()
    this.#phase = phase
  }
}

/** `replica` before its last changes: rebuilt from all others in their order, so that it also saves to the same bytes. */
function withoutLast(replica: DocumentReplica, changes: number): DocumentReplica {
  const [first, ...rest] = replica.getChangesMeta([])
  const rebuilt = replica.fork(replica.getActorId(), [first!.hash])
  rebuilt.resetDiffCursor()
  rebuilt.applyChanges(rest.slice(0, -changes).map(({ hash }) => replica.getChangeByHash(hash)!))
  return rebuilt
}
