import { limits, PeerplaneError } from '@peerplane/core'

import type { DocumentReplica } from './library.ts'
import type { Merge } from './merge-change.ts'

/**
 * The changes of one command to a replica. Automerge makes one change of all that is open when it commits, and a change has at most
 * `limits.documentOps` operations: a command that does more becomes several changes, each built on the one before.
 */
export class Transaction {
  readonly replica: DocumentReplica
  /** The changes that are full, by hash. */
  readonly #full: string[] = []
  #operations = 0
  #textBytes = 0

  constructor(replica: DocumentReplica) {
    this.replica = replica
  }

  /** Whether the command has changed anything. */
  get isUsed(): boolean {
    return this.#full.length > 0 || this.replica.pendingOps() > 0
  }

  /** How many changes are full: they cannot be rolled back. */
  get full(): number {
    return this.#full.length
  }

  /**
   * Checks, before anything is written, that a command may do this much more. Automerge takes seconds to take back what a command may write, and
   * hours for a few megabytes. Throws `too-large`.
   */
  check(operations: number, textBytes = 0): void {
    const all = this.#operations + this.replica.pendingOps() + operations
    if (all > limits.documentCommandOps) {
      throw tooLarge(`${all} characters and values`, limits.documentCommandOps)
    }
    this.#textBytes += textBytes
    if (this.#textBytes <= limits.commitBytes) return
    this.#textBytes -= textBytes
    throw tooLarge(`${this.#textBytes + textBytes} bytes of text`, limits.commitBytes)
  }

  /** Makes room for as many operations as possible, at most `wanted` and at least one, and returns how many. */
  room(wanted: number): number {
    const open = this.replica.pendingOps()
    if (open + wanted <= limits.documentOps) return wanted
    if (open < limits.documentOps) return limits.documentOps - open
    this.#commit()
    return Math.min(wanted, limits.documentOps)
  }

  /** Makes room for operations that belong into one change, at most `limits.documentOps`. */
  roomForAll(wanted: number): void {
    if (this.replica.pendingOps() + wanted > limits.documentOps) this.#commit()
  }

  /** Takes a change of the author of the replica as one that the command has made. */
  take({ bytes, hash }: Merge): void {
    this.replica.applyChanges([bytes])
    this.#full.push(hash)
  }

  /** Commits what is open and returns the changes, one after the other; `undefined` without any. */
  finish(): Uint8Array | undefined {
    if (this.replica.pendingOps() > 0) this.#commit()
    if (this.#full.length === 0) return undefined
    const chunks = this.#full.map((hash) => this.replica.getChangeByHash(hash)!)
    const bytes = new Uint8Array(chunks.reduce((size, { length }) => size + length, 0))
    let at = 0
    for (const chunk of chunks) {
      bytes.set(chunk, at)
      at += chunk.length
    }
    return bytes
  }

  #commit(): void {
    this.#operations += this.replica.pendingOps()
    const hash = this.replica.commit(null, 0)
    if (hash !== null) this.#full.push(hash)
  }
}

/** What a command may not do at once. */
export const tooLarge = (what: string, most: number): PeerplaneError =>
  new PeerplaneError(
    'too-large',
    `one command changes ${what} of a document, at most ${most}: make the change with several commands`,
  )
