import type { Scheduler } from '@peerplane/core'
import type { Libp2p } from '@libp2p/interface'

/** libp2p still reads the record of a peer that has gone, to notify its services. */
const DELETE_MS = 5_000

/**
 * Deletes what libp2p has written down about peers that are no longer connected. Its peer store keeps a record of each peer for ever, and peers
 * get a new id with every start. A record is a piece of a buffer that several share, so each can hold 64 KiB.
 */
export class PeerRecords {
  readonly #libp2p: Libp2p
  readonly #scheduler: Scheduler
  #isDue = false

  constructor(libp2p: Libp2p, scheduler: Scheduler) {
    this.#libp2p = libp2p
    this.#scheduler = scheduler
  }

  /** A peer has gone. All that are not connected a moment later are looked for: a record may be written after its peer has gone. */
  gone(): void {
    if (this.#isDue) return
    this.#isDue = true
    this.#scheduler.after(DELETE_MS, () => {
      this.#isDue = false
      void this.#deleteAll()
    })
  }

  async #deleteAll(): Promise<void> {
    const { peerStore } = this.#libp2p
    try {
      for (const { id } of await peerStore.all()) {
        if (this.#libp2p.getConnections(id).length === 0) await peerStore.delete(id)
      }
    } catch {
      // Ignored: what is left goes with the next peer.
    }
  }
}
