import { PeerplaneError } from '@peerplane/core'
import type { DeviceId, SessionId, Store } from '@peerplane/core'

import { forkKey, forks, sessionOfKey } from '../storage/keys.ts'
import { pages } from '../storage/pages.ts'
import { decodeForkSeq, encodeFork } from '../storage/records.ts'
import type { Contradiction } from './decode-run.ts'
import type { Sessions } from './sessions.ts'

/** A session of which no more is taken in. */
export interface Frozen {
  readonly session: SessionId
  readonly device: DeviceId
  /** Where its device signed two different things. */
  readonly seq: number
}

/** Sessions whose device contradicted itself. The contradiction is kept beside the batches that are held: two signatures, one place. */
export class Forks {
  readonly #store: Store
  readonly #frozen = new Map<SessionId, Frozen>()

  constructor(store: Store) {
    this.#store = store
  }

  async restore(sessions: Sessions): Promise<void> {
    for await (const page of pages(this.#store, forks)) {
      for (const { key, value } of page) {
        const session = sessionOfKey(key)
        const device = sessions.get(session)?.device
        if (device) this.#frozen.set(session, { session, device, seq: decodeForkSeq(value) })
      }
    }
  }

  get frozen(): readonly Frozen[] {
    return [...this.#frozen.values()]
  }

  /** Throws `fork` for a frozen session. */
  assertSound(session: SessionId): void {
    const frozen = this.#frozen.get(session)
    if (frozen) throw forkError(frozen)
  }

  /** Keeps the proof, whose signature was verified, and freezes the session. The result is thrown by the caller. */
  async freeze(
    session: SessionId,
    device: DeviceId,
    { seq, batches }: Contradiction,
  ): Promise<PeerplaneError> {
    const frozen = { session, device, seq }
    await this.#store.write([{ key: forkKey(session), value: encodeFork(seq, batches) }], 'synced')
    this.#frozen.set(session, frozen)
    return forkError(frozen)
  }
}

const forkError = ({ session, device, seq }: Frozen): PeerplaneError =>
  new PeerplaneError(
    'fork',
    `device ${device} signed two versions of session ${session} from commit ${seq} on`,
  )
