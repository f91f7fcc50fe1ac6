import { codeOf, concatBytes, fromHex } from '@peerplane/core'
import type {
  SessionId,
  SpaceId,
  Store,
  StoreDurability,
  Trace,
  Witness,
  Write,
} from '@peerplane/core'

import { checksum, readSum, writeSum } from '../storage/checksum.ts'
import {
  BATCH_KEY_BYTES,
  batchKey,
  firstSeqOfKey,
  isTipKey,
  sessionOfKey,
} from '../storage/keys.ts'
import { decodeTip } from '../storage/records.ts'
import type { Sessions } from './sessions.ts'

/*
 * What a witness holds, one entry after the other; of several of one session the last one counts.
 *
 *   place       25 bytes, the key of a batch that would begin with the last commit of a session
 *   checksum     4 bytes, seeded with the space
 *
 * A commit is noted when it is synced, and not before: the witness may lie behind the store, and never goes beyond it.
 */

const PLACE = BATCH_KEY_BYTES
const ENTRY = PLACE + 4

/** The number of sessions in the witness: more than the write-ahead log of SQLite has transactions. */
const SESSIONS = 1_000
/** Above this number, the entries are reduced to one for each session. */
const MOST_ENTRIES = 4 * SESSIONS

/** How far sessions were stored, in the witness of a store. */
export class SeenTips {
  readonly #witness: Witness
  readonly #seed: number
  readonly #trace: Trace | undefined
  /** The least recently noted first. */
  readonly #tips = new Map<SessionId, number>()
  /** Tips that were stored, but are not synced yet. */
  #unsynced = new Map<SessionId, number>()
  #entries = 0

  private constructor(witness: Witness, space: SpaceId, trace: Trace | undefined) {
    this.#witness = witness
    this.#seed = checksum(fromHex(space))
    this.#trace = trace
  }

  /** Reads the witness of a store, if it has one. */
  static async load(
    { witness }: Pick<Store, 'witness'>,
    space: SpaceId,
    trace: Trace | undefined,
  ): Promise<SeenTips | undefined> {
    if (!witness) return undefined
    const seen = new SeenTips(witness, space, trace)
    await seen.#read()
    return seen
  }

  /** Returns the sessions that were once stored further than they are now, and how far they were stored. */
  beyond(sessions: Sessions): Map<SessionId, number> {
    const isLost = ([session, seq]: readonly [SessionId, number]): boolean =>
      seq > (sessions.get(session)?.stored.seq ?? 0)
    return new Map([...this.#tips].filter(isLost))
  }

  /** Returns a store that writes to `store`, and records the stored tips in the witness as soon as they are synced. */
  over(store: Store): Store {
    return {
      get: (key) => store.get(key),
      scan: (range) => store.scan(range),
      count: (range) => store.count(range),
      write: async (writes, durability) => {
        const tips = tipsIn(writes)
        // What is taken back must not be missed.
        this.#note([...tips].filter(([session, seq]) => seq < (this.#tips.get(session) ?? 0)))
        await store.write(writes, durability)
        this.#stored(tips, durability)
      },
      ...(store.aside && { aside: store.aside }),
      close: () => store.close(),
    }
  }

  #stored(tips: ReadonlyMap<SessionId, number>, durability: StoreDurability): void {
    for (const [session, seq] of tips) this.#unsynced.set(session, seq)
    if (durability !== 'synced') return
    this.#note([...this.#unsynced])
    this.#unsynced = new Map()
  }

  #note(tips: readonly (readonly [SessionId, number])[]): void {
    if (tips.length === 0) return
    for (const [session, seq] of tips) this.#keep(session, seq)
    this.#entries += tips.length
    if (this.#entries > MOST_ENTRIES) return this.#compact()
    this.#attempt(this.#witness.add(this.#encode(tips)))
  }

  #keep(session: SessionId, seq: number): void {
    this.#tips.delete(session)
    this.#tips.set(session, seq)
    if (this.#tips.size <= SESSIONS) return
    for (const oldest of this.#tips.keys()) {
      this.#tips.delete(oldest)
      break
    }
  }

  #compact(): void {
    this.#entries = this.#tips.size
    this.#attempt(this.#witness.replace(this.#encode([...this.#tips])))
  }

  #attempt(change: Promise<void>): void {
    change.catch((error: unknown) => {
      this.#trace?.('upkeep.failed', { what: 'how far sessions are stored', code: codeOf(error) })
    })
  }

  #encode(tips: readonly (readonly [SessionId, number])[]): Uint8Array {
    return concatBytes(
      ...tips.map(([session, seq]) => {
        const place = batchKey(session, seq)
        const sum = new Uint8Array(ENTRY - PLACE)
        writeSum(sum, 0, checksum(place, this.#seed))
        return concatBytes(place, sum)
      }),
    )
  }

  async #read(): Promise<void> {
    const bytes = await this.#witness.read()
    let isWhole = bytes.length % ENTRY === 0
    for (let at = 0; at + ENTRY <= bytes.length; at += ENTRY) {
      const place = bytes.subarray(at, at + PLACE)
      // Of another space, or damaged.
      if (readSum(bytes, at + PLACE) !== checksum(place, this.#seed)) isWhole = false
      else this.#keep(sessionOfKey(place), firstSeqOfKey(place))
    }
    this.#entries = bytes.length / ENTRY
    if (!isWhole || this.#entries > MOST_ENTRIES) this.#compact()
  }
}

/** Whether the witness of a store shows that the store was ever written. */
export const isWitnessed = async ({ witness }: Pick<Store, 'witness'>): Promise<boolean> =>
  witness !== undefined && (await witness.read()).length > 0

const tipsIn = (writes: readonly Write[]): Map<SessionId, number> =>
  new Map(
    writes.flatMap(({ key, value }) =>
      value && isTipKey(key) ? [[sessionOfKey(key), decodeTip(value).seq] as const] : [],
    ),
  )
