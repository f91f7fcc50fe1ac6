import { compareTimestamps, skimBatch } from '@peerplane/core'
import type {
  Commit,
  Dot,
  EntityKey,
  Entry,
  Frontier,
  SessionId,
  Store,
  Timestamp,
} from '@peerplane/core'

import { batches, firstSeqOfKey, sessionOfKey } from '../storage/keys.ts'
import { pages } from '../storage/pages.ts'
import { decodeStoredBatch } from '../storage/records.ts'
import { decodePlaced, missingBatch, nextOf, readBatches, readBatchOf } from './range.ts'

/** The number of batches that are read at once. */
const PAGE = 256

/** A part of the history of some entities: some of the commits that change them. */
export interface HistoryPart {
  /** Commits that change at least one of the entities. */
  readonly commits: readonly Commit[]
  /** The number of batches that were searched for this part of the history. */
  readonly batches: number
}

/** Returns the entities that the stored commits `from` to `to` of a session change, whether these commits have an effect or not. */
export async function touchedBy(
  store: Store,
  session: SessionId,
  from: number,
  to: number,
): Promise<ReadonlySet<EntityKey>> {
  const touched = new Set<EntityKey>()
  let next = (await readBatchOf(store, session, from)).firstSeq
  while (next <= to) {
    const portion = await readBatches(store, session, next, to, PAGE)
    if (portion[0]?.firstSeq !== next) throw missingBatch(session, next)
    for (const { encoded } of portion) {
      for (const key of skimBatch(encoded).entities) touched.add(key)
    }
    next = nextOf(portion.at(-1)!)
  }
  return touched
}

/**
 * The commits up to `to` that have a section on one of `keys`: those of a session in their order, all of them in the order of their times,
 * which honest devices write in causal order. A session comes after its parents, whatever its times are. Batches are looked through without
 * hashing them; only what is found is decoded. Parts may be
 * empty, so that other work can go first in between.
 */
export async function* historyOf(
  store: Store,
  keys: ReadonlySet<EntityKey>,
  to: Frontier,
  placeOf: (session: SessionId) => PlaceOfSession,
): AsyncGenerator<HistoryPart> {
  const search = new Search(keys, to)
  for await (const page of pages(store, batches, () => PAGE)) {
    for (const entry of page) search.look(entry)
    yield { commits: [], batches: page.length }
  }
  for (const { session, seq } of search.finish(placeOf)) {
    const batch = decodePlaced(session, await readBatchOf(store, session, seq))
    const last = to.get(session)!.seq
    const commits = batch.commits.filter(
      ({ header, sections }) =>
        header.seq <= last && sections.some(({ entity }) => keys.has(entity)),
    )
    yield { commits, batches: 0 }
  }
}

/** The depth of a session, and its parents of the same device. */
export interface PlaceOfSession {
  readonly depth: number
  readonly parents: readonly SessionId[]
}

/** A batch that names one of the entities, and the latest time in its session up to it. */
interface Place extends Dot {
  readonly time: Timestamp
}

/** Looks through all batches in the order of their keys. */
class Search {
  readonly #keys: ReadonlySet<EntityKey>
  readonly #to: Frontier
  /** The sessions that were not found yet. */
  readonly #missing: Set<SessionId>
  readonly #places: Place[] = []
  /** The latest time of each session. */
  readonly #latest = new Map<SessionId, Timestamp>()
  #session: SessionId | undefined
  #next = 1
  #time = never

  constructor(keys: ReadonlySet<EntityKey>, to: Frontier) {
    this.#keys = keys
    this.#to = to
    this.#missing = new Set([...to.values()].filter(({ seq }) => seq > 0).map((tip) => tip.session))
  }

  look({ key, value }: Entry): void {
    const session = sessionOfKey(key)
    const firstSeq = firstSeqOfKey(key)
    const last = this.#to.get(session)?.seq ?? 0
    if (firstSeq > last) return
    if (session !== this.#session) this.#begin(session)
    if (firstSeq !== this.#next) throw missingBatch(session, this.#next)
    const { commits, encoded } = decodeStoredBatch(value)
    this.#next = firstSeq + commits
    if (this.#next > last) this.#missing.delete(session)
    const { time, entities } = skimBatch(encoded)
    this.#time = later(this.#time, time)
    this.#latest.set(session, this.#time)
    if (!entities.some((entity) => this.#keys.has(entity))) return
    this.#places.push({ session, seq: firstSeq, time: this.#time })
  }

  /** What was found. Throws `store-corrupt` if a batch is missing. */
  finish(placeOf: (session: SessionId) => PlaceOfSession): readonly Place[] {
    for (const session of this.#missing) throw missingBatch(session, this.#next)
    const begins = this.#begins(placeOf)
    const timeOf = ({ session, time }: Place): Timestamp => later(time, begins.get(session)!)
    return this.#places
      .map((place) => ({ place, time: timeOf(place), depth: placeOf(place.session).depth }))
      .sort((a, b) => compareTimestamps(a.time, b.time) || a.depth - b.depth)
      .map(({ place }) => place)
  }

  /** For each session, the latest time of all sessions that it comes after. */
  #begins(placeOf: (session: SessionId) => PlaceOfSession): ReadonlyMap<SessionId, Timestamp> {
    const begins = new Map<SessionId, Timestamp>()
    const byDepth = [...this.#latest.keys()]
      .map((session) => ({ session, ...placeOf(session) }))
      .sort((a, b) => a.depth - b.depth)
    for (const { session, parents } of byDepth) {
      const times = parents.flatMap((parent) => [this.#latest.get(parent), begins.get(parent)])
      begins.set(
        session,
        times.reduce<Timestamp>((a, b) => (b ? later(a, b) : a), never),
      )
    }
    return begins
  }

  #begin(session: SessionId): void {
    this.#session = session
    this.#next = 1
    this.#time = never
  }
}

const never: Timestamp = { ms: 0, counter: 0 }

const later = (a: Timestamp, b: Timestamp): Timestamp => (compareTimestamps(a, b) < 0 ? b : a)
