import {
  compareTimestamps,
  equalData,
  limits,
  type Json,
  type Timestamp,
  type Value,
} from '@peerplane/core'

import {
  compareCommits,
  deviceKey,
  readRefs,
  toRefs,
  type CommitTable,
  type DeviceKey,
  type NamedCommit,
} from './commits.ts'
import type { OpContext } from './op-context.ts'
import { ExpectedCommits, type Made } from './survivors.ts'
import { items, whole } from './void.ts'
import { PART_BYTES } from './weight.ts'

/** An op of one device at a place, the latest as far as its device is asked. */
export interface LatestOp<Content> extends Made {
  readonly device: DeviceKey
  /** The start of its session, which counts among the ops of its device. */
  readonly start: number
  readonly time: Timestamp
  /** `undefined` if it was superseded: what remains keeps out earlier ops of its device. */
  readonly content: Content | undefined
}

/**
 * The latest op of each device at one place, unless another op has named it. The latest is that of the session with the latest start: an honest device
 * begins a session that starts after all sessions that it knows of itself, so its next op is the latest whatever its clock says.
 *
 * So a place holds as many ops as devices have written it, in however many sessions, and an op can name them all.
 */
export class LatestByDevice<Content> {
  /** The op of the first device, and those of all others. Most places have been written by one device. */
  #first: LatestOp<Content> | undefined
  #others: Map<DeviceKey, LatestOp<Content>> | undefined
  #expected: ExpectedCommits | undefined

  constructor(latest: readonly LatestOp<Content>[] = [], expected: readonly NamedCommit[] = []) {
    for (const each of latest) this.#set(each.device, each)
    if (expected.length > 0) this.#expected = new ExpectedCommits(expected)
  }

  /** Those that no other op has named, the latest time first. */
  live(): LatestOp<Content>[] {
    const live = this.#all().filter(({ content }) => content !== undefined)
    return live.length < 2 ? live : live.sort((a, b) => compareLatest(b, a))
  }

  /** What is kept beside the contents, in the bytes of `limits.entityBytes`. */
  get weight(): number {
    const ops = (this.#first ? 1 : 0) + (this.#others?.size ?? 0)
    return ops * PART_BYTES + (this.#expected?.weight ?? 0)
  }

  /** Applies that an op names these commits. */
  supersede(commits: readonly NamedCommit[], context: OpContext): void {
    for (const commit of commits) {
      const named = this.#find(commit)
      if (!named) (this.#expected ??= new ExpectedCommits()).add(commit, context)
      else if (named.content !== undefined) this.#put({ ...named, content: undefined }, context)
    }
  }

  /** Applies the arrival of an op, after {@link supersede}. */
  write(content: Content, context: OpContext): void {
    const { commit, origin } = context
    const { lineage, time } = origin
    const device = deviceKey(origin.device)
    const start = lineage?.start ?? 0
    const isNamed = this.#expected?.has(commit) ?? false
    const op = { device, commit, start, time, content: isNamed ? undefined : content }
    const before = this.#of(device)
    if (before && compareOfDevice(op, before) < 0) return
    this.#put(op, context)
  }

  save(table: CommitTable, saveContent: (content: Content) => readonly Value[]): Value | undefined {
    const expected = this.#expected?.sorted(table) ?? []
    const all = this.#all()
    if (all.length === 0 && expected.length === 0) return undefined
    const latest = all.sort((a, b) => (a.device < b.device ? -1 : 1))
    const saved = latest.map(({ device, commit, start, time, content }): Value => [
      table.deviceRef(device),
      table.ref(commit),
      // Small, as most sessions are short.
      time.ms - start,
      time.ms,
      time.counter,
      ...(content === undefined ? [] : saveContent(content)),
    ])
    return [saved, toRefs(expected, table)]
  }

  /** Inverse of `save`. Throws `Void`. */
  static load<Content>(
    saved: Value,
    table: CommitTable,
    loadContent: (fields: readonly Value[]) => Content,
  ): LatestByDevice<Content> {
    const [latest, expected] = items(saved, 2)
    const read = items(latest).map((each): LatestOp<Content> => {
      const [device, commit, since, msOf, counter, ...content] = items(each)
      const ms = whole(msOf)
      return {
        device: table.device(device),
        commit: table.commit(commit),
        start: ms - whole(since, -Number.MAX_SAFE_INTEGER),
        time: { ms, counter: whole(counter) },
        content: content.length > 0 ? loadContent(content) : undefined,
      }
    })
    return new LatestByDevice(read, readRefs(expected, table))
  }

  #find(commit: NamedCommit): LatestOp<Content> | undefined {
    return this.#all().find((each) => compareCommits(each.commit, commit) === 0)
  }

  #all(): LatestOp<Content>[] {
    if (!this.#first) return []
    return this.#others ? [this.#first, ...this.#others.values()] : [this.#first]
  }

  #of(device: DeviceKey): LatestOp<Content> | undefined {
    return this.#first?.device === device ? this.#first : this.#others?.get(device)
  }

  #set(device: DeviceKey, op: LatestOp<Content> | undefined): void {
    if (op && (this.#first?.device ?? device) === device) this.#first = op
    else if (op) (this.#others ??= new Map()).set(device, op)
    else if (this.#first?.device !== device) this.#others?.delete(device)
    else {
      const [next] = this.#others?.values() ?? []
      this.#first = next
      if (next) this.#others!.delete(next.device)
    }
  }

  #put(op: LatestOp<Content>, context: OpContext): void {
    const { device } = op
    const before = this.#of(device)
    this.#set(device, op)
    context.undo(() => this.#set(device, before))
  }
}

/** What an op names that its author writes where these ops are: the latest ones, as many as an op may name. */
export const namesOf = (live: readonly Made[], table: CommitTable): Value =>
  toRefs(
    live.slice(0, limits.namesPerOp).map(({ commit }) => commit),
    table,
  )

/** Whether the session that writes has written this value, and nobody another one. */
export const isWritten = (
  value: Json,
  [latest, ...others]: readonly LatestOp<{ readonly value: Json }>[],
  table: CommitTable,
): boolean =>
  latest !== undefined &&
  others.length === 0 &&
  table.isOwn(latest.commit) &&
  equalData(value, latest.content!.value)

/** Order of concurrent ops of different devices: by time, then by commit. */
const compareLatest = (a: LatestOp<unknown>, b: LatestOp<unknown>): number =>
  compareTimestamps(a.time, b.time) || compareCommits(a.commit, b.commit)

/** Order of the ops of one device; 0 for ops of one commit, of which the later one counts. */
const compareOfDevice = (a: LatestOp<unknown>, b: LatestOp<unknown>): number =>
  a.start - b.start || compareCommits(a.commit, b.commit)
