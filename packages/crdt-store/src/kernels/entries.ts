import {
  encodeCanonical,
  fromHex,
  hash,
  limits,
  SESSION_BYTES,
  toHex,
  type Value,
} from '@peerplane/core'

import { readRefs, toRefs, type CommitTable, type NamedCommit } from './commits.ts'
import type { DraftPlace } from './kernel.ts'
import type { OpContext } from './op-context.ts'
import { ShownKeys } from './shown-keys.ts'
import { Survivors, type Made } from './survivors.ts'
import { items, Void, whole } from './void.ts'
import { compareElements, elementOf, type ElementKey } from './elements.ts'
import { PART_BYTES } from './weight.ts'

type Key = ElementKey

/** What is at a key in one generation. */
interface Entry<Content> {
  readonly generation: number
  /** The changes that keep the entry: while one of them survives, the entry is present. */
  readonly touches: Survivors<Made>
  /** Whether a touch has come, superseded or not: without one, there was nothing that a removal could end. */
  wasTouched: boolean
  readonly content: Content
}

/** The last generation is never closed, so that no op makes a key unusable for good. */
const LAST_GENERATION = Number.MAX_SAFE_INTEGER

/**
 * The entries of a map or a set, by key.
 *
 * The highest generation of an entry counts; it begins empty, and ops of lower generations have no effect. An entry is present as long as its
 * generation is not closed and one of its touches is not superseded. What a removed entry holds is kept until its generation is closed or
 * another one begins, because a touch that its remover did not see brings it back.
 */
export class Entries<Content> {
  readonly #begin: () => Content
  readonly #open = new Map<Key, Entry<Content>>()
  /** Closed generations, by the hashes of their keys. */
  #closed: Map<string, number> | undefined
  /** From when somebody looks at the keys. */
  #shown: ShownKeys<Key> | undefined

  /** `begin` makes the content of an entry at the beginning of a generation; `undefined` if entries have none. */
  constructor(begin: () => Content) {
    this.#begin = begin
  }

  /** The keys of the entries that are present, sorted. */
  keys(): readonly Key[] {
    this.#shown ??= new ShownKeys(compareElements, this.#open.keys())
    return this.#shown.list((key) => this.isPresent(key))
  }

  isPresent(key: Key): boolean {
    return (this.#open.get(key)?.touches.size ?? 0) > 0
  }

  /** What is at a key, if that is present. */
  get(key: Key): Content | undefined {
    const entry = this.#open.get(key)
    return entry && entry.touches.size > 0 ? entry.content : undefined
  }

  /** What is kept at a key in its generation, present or not; `undefined` if nothing is. */
  kept(key: Key): Pick<Entry<Content>, 'generation' | 'content'> | undefined {
    return this.#open.get(key)
  }

  /** Whether a session keeps the entry at a key. */
  isTouchedBy(key: Key, context: Pick<CommitTable, 'own'>): boolean {
    return this.#open.get(key)?.touches.has(context.own?.session) ?? false
  }

  /** Says that a draft is going to change an entry. */
  notice(key: Key, { draft }: OpContext): void {
    draft?.changesPart(this, key, () => (this.isPresent(key) ? this.#generationOf(key) : null))
  }

  /** The same of an op that only touches the entry. A touch of another session does not do: its device can revoke it by a fork. */
  noticeTouch(key: Key, context: OpContext): void {
    this.notice(key, context)
    context.draft?.changesPart(this.#open, key, () => this.isTouchedBy(key, context.table))
  }

  /** The entry at a key in a generation, which begins if it is higher than all before; `undefined` if it is no longer current. */
  enter(
    key: Key,
    generation: number,
    context: OpContext,
    begin: () => Content = this.#begin,
  ): Entry<Content> | undefined {
    const before = this.#open.get(key)
    if (before?.generation === generation) return before
    const last = this.#generationOf(key)
    if (last >= generation) return undefined
    const entry: Entry<Content> = {
      generation,
      touches: new Survivors<Made>(),
      wasTouched: false,
      content: begin(),
    }
    context.draft?.begins(entry.content)
    this.#replace(key, before, entry, context)
    if (!before && last >= 0) this.#markClosed(key, undefined, context)
    return entry
  }

  /** Has the commit of an op keep the entry that `enter` gave for `key`. */
  touch(key: Key, entry: Entry<Content>, context: OpContext): void {
    const { touches, wasTouched } = entry
    if (touches.holds(context.commit)) return
    entry.wasTouched = true
    this.#shown?.changed(key)
    context.undo(() => {
      entry.wasTouched = wasTouched
      this.#shown?.changed(key)
    })
    touches.supersede([], context)
    touches.add({ commit: context.commit }, context)
  }

  /** Applies what an op states of a removal: the touches that it removes, or `null` for all. Throws `Void`. */
  applyRemoval(key: Key, stated: Value | undefined, generation: number, context: OpContext): void {
    const names = readRemoval(stated, generation, context.table)
    if (names) this.#remove(key, names, generation, context)
    else this.#close(key, generation, context)
  }

  /** Takes away touches of a generation. */
  #remove(key: Key, names: readonly NamedCommit[], generation: number, context: OpContext): void {
    const isKnown = this.#open.has(key) || generation > 0
    // Nothing is kept of what can no longer have an effect.
    if (!isKnown && names.every(({ session, seq }) => seq <= context.table.seen(session))) return
    const entry = this.enter(key, generation, context)
    if (!entry) return
    entry.touches.supersede(names, context)
    const isEmpty = generation === 0 && entry.content === undefined && entry.touches.isBlank
    if (isEmpty) this.#replace(key, entry, undefined, context)
    else this.#changed(key, context)
  }

  /** Ends a generation: nothing that comes later brings it back. */
  #close(key: Key, generation: number, context: OpContext): void {
    const entry = this.#open.get(key)
    const last = this.#generationOf(key)
    if (last > generation || (last === generation && !entry)) return
    this.#replace(key, entry, undefined, context)
    this.#markClosed(key, generation, context)
  }

  /**
   * The generation for the next change of an entry. After its removal that is a new one if entries have content, unless the entity holds something
   * that cannot be seen here: that would be lost.
   */
  nextGeneration(key: Key, { isComplete }: DraftPlace): number {
    const entry = this.#open.get(key)
    const generation = this.#generationOf(key)
    if (entry) {
      const isRemoved = entry.wasTouched && entry.touches.size === 0
      const renews = isRemoved && isComplete && entry.content !== undefined
      return Math.min(renews ? generation + 1 : generation, LAST_GENERATION)
    }
    return generation + 1
  }

  /** What the removal of a present entry says of it: the touches that it removes, or `null` if it closes the generation. */
  removal(key: Key, closes: boolean, draft: DraftPlace): Value {
    const { touches, generation, content } = this.#open.get(key)!
    const isTight = draft.isTight && content !== undefined
    const isComplete = draft.isComplete && generation < LAST_GENERATION
    return removalOf(touches, closes, { table: draft.table, isTight, isComplete })
  }

  /** In the bytes of `limits.entityBytes`. */
  weigh(weighContent: (content: Content) => number): number {
    let weight = (this.#closed?.size ?? 0) * PART_BYTES
    for (const [key, { touches, content }] of this.#open) {
      const keyBytes = typeof key === 'string' ? key.length : 0
      weight += PART_BYTES + keyBytes + touches.weight + weighContent(content)
    }
    return weight
  }

  /*
   *   entries   [[[key, touches, content, generation?, expected?] …], [hash, closed generation …]]   touches: `null` if none has come
   */

  /** For a snapshot; `undefined` if there is nothing to keep. */
  save(
    table: CommitTable,
    saveContent: (content: Content) => Value | undefined,
  ): Value | undefined {
    const open: Value[] = []
    for (const key of [...this.#open.keys()].sort(compareElements)) {
      const { generation, touches, wasTouched, content } = this.#open.get(key)!
      const expected = touches.expected(table)
      const saved = saveContent(content)
      const isBlank = touches.size === 0 && expected.length === 0 && saved === undefined
      // What was removed is kept: its next change begins a generation, also after a restart.
      const isRemoved = wasTouched && content !== undefined
      if (generation === 0 && isBlank && !isRemoved) continue
      const live = isRemoved || touches.size > 0 ? toRefs(touches.commits(), table) : null
      const parts: Value[] = [elementOf(key), live, saved ?? null]
      if (generation > 0 || expected.length > 0) parts.push(generation)
      if (expected.length > 0) parts.push(toRefs(expected, table))
      open.push(parts)
    }
    const closed = [...(this.#closed ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))
    if (open.length === 0 && closed.length === 0) return undefined
    return [open, closed.flatMap(([at, generation]) => [fromHex(at), generation])]
  }

  /** Inverse of `save`, for entries without any. Throws `Void`. */
  load(
    saved: Value,
    table: CommitTable,
    readKey: (value: Value | undefined) => Key,
    loadContent: (saved: Value | undefined) => Content,
  ): void {
    const [open, closed] = items(saved, 2)
    for (const each of items(open)) {
      const [named, touches, content, generation = 0, expected = []] = items(each)
      const wasTouched = touches !== null
      const live = wasTouched ? readRefs(touches, table).map((commit) => ({ commit })) : []
      const key = readKey(named)
      this.#open.set(key, {
        generation: whole(generation),
        touches: new Survivors<Made>(live, readRefs(expected, table)),
        wasTouched,
        content: loadContent(content ?? undefined),
      })
    }
    const list = items(closed)
    for (let i = 0; i < list.length; i += 2) {
      this.#closed ??= new Map()
      this.#closed.set(toHex(list[i] as Uint8Array), whole(list[i + 1]))
    }
  }

  /** The highest generation of a key, closed or not; -1 where there was none. */
  #generationOf(key: Key): number {
    const open = this.#open.get(key)
    if (open) return open.generation
    return this.#closed?.size ? (this.#closed.get(hashOf(key)) ?? -1) : -1
  }

  #replace(
    key: Key,
    before: Entry<Content> | undefined,
    after: Entry<Content> | undefined,
    context: OpContext,
  ): void {
    const put = (entry: Entry<Content> | undefined): void => {
      if (entry) this.#open.set(key, entry)
      else this.#open.delete(key)
      this.#shown?.changed(key)
    }
    put(after)
    context.undo(() => put(before))
  }

  #markClosed(key: Key, generation: number | undefined, context: OpContext): void {
    const at = hashOf(key)
    const all = (this.#closed ??= new Map())
    const before = all.get(at)
    const put = (closed: number | undefined): void => {
      if (closed === undefined) all.delete(at)
      else all.set(at, closed)
    }
    put(generation)
    context.undo(() => put(before))
  }

  #changed(key: Key, context: OpContext): void {
    this.#shown?.changed(key)
    context.undo(() => this.#shown?.changed(key))
  }
}

/** What a removal says: the touches that it removes, or `null` if it removes for good. */
export function removalOf(
  touches: Survivors<Made>,
  closes: boolean,
  { table, isTight, isComplete }: Pick<DraftPlace, 'table' | 'isTight' | 'isComplete'>,
): Value {
  const commits = touches.commits()
  const isLong = commits.length > limits.namesPerOp
  if (isComplete && (closes || isTight || isLong)) return null
  return toRefs(commits.slice(0, limits.namesPerOp), table)
}

/** The generation of an op: 0 where it names none. Throws `Void`. */
export const readGeneration = (value: Value | undefined): number =>
  value === undefined ? 0 : whole(value, 1)

/** What a removal names: commits, or `null` for all. Throws `Void`. */
function readRemoval(
  names: Value | undefined,
  generation: number,
  table: CommitTable,
): readonly NamedCommit[] | null {
  if (names !== null) return readRefs(names, table)
  if (generation === LAST_GENERATION) throw new Void('the last generation is not closed')
  return null
}

/** An op with its generation, which is left out where it is 0. */
export const inGeneration = (op: readonly Value[], generation: number): Value =>
  generation === 0 ? op : [...op, generation]

const hashOf = (key: Key): string =>
  toHex(hash('closed-entry', encodeCanonical(elementOf(key))).subarray(0, SESSION_BYTES))
