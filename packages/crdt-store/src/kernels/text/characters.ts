import { compareTexts, type SessionId } from '@peerplane/core'

import { isInPair } from '../../text/text-diff.ts'
import type { NamedCommit } from '../commits.ts'
import type { OpContext } from '../op-context.ts'
import {
  onlySibling,
  siblingAfter,
  siblingBefore,
  withoutSibling,
  withSibling,
} from '../order/siblings.ts'
import { TextAuthor, Edge, RunParent, CharacterRun, type Character } from './author.ts'
import { Expected, type CharacterId } from './expected.ts'
import { Sequence, type Piece } from './sequence.ts'

/** Where characters are inserted. Without a parent, they are inserted after the root, which is before everything. */
export interface CharacterSpot {
  readonly parent: CharacterId | undefined
  readonly side: 'before' | 'after'
}

/** All characters of one session from one to another. */
export interface CharacterRange {
  readonly first: CharacterId
  readonly last: CharacterId
}

/** A run that is not placed, because its parent is not. */
export interface WaitingRun {
  readonly run: CharacterRun
  readonly parent: CharacterId
  readonly side: CharacterSpot['side']
}

/** The runs that are not placed, in an order that is the same on every device. */
interface Unplaced {
  /** Of what waits. */
  readonly version: number
  readonly runs: readonly CharacterRun[]
  /** How many UTF-16 units they show. */
  readonly length: number
}

type Journal = Pick<OpContext, 'undo'>

/** Longer runs are not continued: each read of a text that grows costs as much as the text is long. */
const LONG = 4_096

/*
 * In the bytes of `limits.entityBytes`. They are less than those of other parts, because the time that a text takes hardly depends on them: a long text
 * has many commits, one for every few keystrokes.
 */
const RUN_BYTES = 6
const COMMIT_BYTES = 4
const WAITING_BYTES = 4
const CHARACTERS_PER_BYTE = 4

/**
 * The characters of a text, shown and deleted, in the order of `Order`: each is before or after its parent, with everything below it. Characters that
 * are typed in a row are kept together, as a run, which is divided where somebody inserts or deletes.
 */
export class Characters {
  readonly root = new RunParent()
  readonly #sequence = new Sequence(this.root)
  #known: Unplaced = { version: 0, runs: [], length: 0 }
  /** What was restored last. */
  #last: Piece = this.root
  readonly #authors = new Map<SessionId, TextAuthor>()
  /** Runs that are not placed, by their parents. */
  readonly #waiting = new Expected<WaitingRun>()
  /** Deletions of characters that have not come, by the last of them. */
  readonly #expected = new Expected<CharacterRange>()

  /** The text. Runs that are not placed come last, in the order of their sessions. */
  get shown(): string {
    return this.#sequence.shown + this.#unplaced.runs.reduce((all, { shown }) => all + shown, '')
  }

  /** How many UTF-16 units are shown. */
  get length(): number {
    return this.#sequence.width + this.#unplaced.length
  }

  /** In the bytes of `limits.entityBytes`. */
  get weight(): number {
    let weight = (this.#waiting.size + this.#expected.size) * WAITING_BYTES
    for (const { commits, runs } of this.#authors.values()) {
      weight += commits.length * COMMIT_BYTES + runs.size * RUN_BYTES
    }
    return weight + Math.ceil(this.#sequence.width / CHARACTERS_PER_BYTE)
  }

  /** The character with a name; `undefined` if it has not come. */
  find({ commit, offset }: CharacterId): Character | undefined {
    const author = this.#authors.get(commit.session)
    const number = author?.numberOf(commit, offset)
    return number === undefined ? undefined : { author: author!, number }
  }

  /** The character that is shown at an index, which is one of those that exist. */
  at(index: number): Character {
    let left = index - this.#sequence.width
    if (left < 0) {
      const { item, offset } = this.#sequence.at(index)
      const { author, first } = item as CharacterRun
      return { author, number: first + offset }
    }
    for (const { author, first, shown } of this.#unplaced.runs) {
      if (left < shown.length) return { author, number: first + left }
      left -= shown.length
    }
    throw new Error('a text has no such index')
  }

  /** Whether an index lies within a surrogate pair. */
  isInPair(index: number): boolean {
    if (index <= 0 || index >= this.length) return false
    return isInPair(this.shownAt(index - 1) + this.shownAt(index), 1)
  }

  /** The UTF-16 unit at an index, which is one of those that exist. */
  shownAt(index: number): string {
    const { author, number } = this.at(index)
    const run = author.runs.at(number)
    return run.shown[number - run.first]!
  }

  /** The index of a character; where it has been, if it is deleted. */
  indexOf({ author, number }: Character): { readonly index: number; readonly isShown: boolean } {
    const run = author.runs.at(number)
    const isShown = !run.isDeleted
    const inRun = isShown ? number - run.first : 0
    if (run.block) return { index: this.#sequence.indexOf(run) + inRun, isShown }
    let index = this.#sequence.width
    for (const each of this.#unplaced.runs) {
      if (each === run) break
      index += each.shown.length
    }
    return { index: index + inRun, isShown }
  }

  /** The shown characters from one index to another, as few ranges: also what is deleted already is in them. */
  ranges(from: number, until: number): CharacterRange[] {
    const found: Numbers[] = []
    for (let index = from; index < until;) {
      const { author, number } = this.at(index)
      const length = Math.min(author.runs.at(number).until - number, until - index)
      found.push({ author, from: number, until: number + length })
      index += length
    }
    found.sort((a, b) => compareTexts(a.author.session, b.author.session) || a.from - b.from)
    const joined: Numbers[] = []
    for (const range of found) {
      const before = joined.at(-1)
      if (before && isRest(before, range)) before.until = range.until
      else joined.push({ ...range })
    }
    return joined.map((range) => ({
      first: range.author.idOf(range.from),
      last: range.author.idOf(range.until - 1),
    }))
  }

  /** Where a text is inserted so that it is shown at an index. */
  spotAt(index: number): CharacterSpot {
    const { width } = this.#sequence
    let before: RunParent = this.root
    if (index > 0 && width > 0) {
      const { author, number } = this.at(Math.min(index, width) - 1)
      const run = author.runs.at(number)
      if (number < run.until - 1) return { parent: author.idOf(number + 1), side: 'before' }
      before = run
    }
    if (!before.afters) {
      const parent =
        before instanceof CharacterRun ? before.author.idOf(before.until - 1) : undefined
      return { parent, side: 'after' }
    }
    let next = this.#sequence.next(before)
    while (!(next instanceof CharacterRun)) next = this.#sequence.next(next!)
    return { parent: next.author.idOf(next.first), side: 'before' }
  }

  /** The next characters of a commit. */
  insert(shown: string, { parent: id, side }: CharacterSpot, context: OpContext): void {
    const { commit } = context
    const author = this.#author(commit.session, context)
    const offset = author.countOf(commit)
    const parent = id && this.find(id)
    const first = this.#count(author, shown.length, context)
    const offsets = [offset, offset + shown.length] as const
    if (parent && this.#continues(parent, { author, side, first }, shown, context)) {
      this.#come(commit, offsets, context)
    } else this.#insertRun({ author, first, shown }, { id, parent, side }, offsets, context)
    for (const range of this.#expected.take(commit, offsets, context)) this.delete(range, context)
  }

  /** Deletes characters; those that have not come, when they come. */
  delete(range: CharacterRange, context: OpContext): void {
    const { first, last } = range
    const end = this.find(last)
    if (end) {
      const start = this.find(first)
      const isRange = start?.author === end.author && start.number <= end.number
      if (isRange) this.#delete(end.author, start.number, end.number, context)
    } else if (last.commit.prefix !== '' && first.commit.session === last.commit.session) {
      const isPast = last.commit.seq <= context.table.seen(last.commit.session)
      if (!isPast) this.#expected.add(last, range, context)
    }
  }

  /** What is not placed, in an order that is the same on every device. */
  waiting(): readonly WaitingRun[] {
    return [...this.#waiting.values()].sort(
      ({ run: a }, { run: b }) => compareTexts(a.session, b.session) || a.first - b.first,
    )
  }

  expected(): Iterable<CharacterRange> {
    return this.#expected.values()
  }

  authors(): Iterable<TextAuthor> {
    return this.#authors.values()
  }

  /** The runs and the edges in their order. */
  *items(): Iterable<Piece> {
    for (const item of this.#sequence.from(this.root)) if (!this.#isOfRoot(item)) yield item
  }

  #isOfRoot(item: Piece): boolean {
    return item === this.root || item === this.root.end
  }

  /*
   * For a snapshot: first the authors, then what is in order, then `restoreEnd`, then the rest.
   */

  restoreAuthor(author: TextAuthor): void {
    this.#authors.set(author.session, author)
  }

  restoreItem(item: Piece): void {
    this.#sequence.insertAfter(this.#last, item)
    this.#last = item
  }

  restoreEnd(): void {
    if (!this.root.afters) return
    this.root.end = new Edge(false)
    this.restoreItem(this.root.end)
  }

  restoreWaiting(waiting: WaitingRun): void {
    this.#waiting.add(waiting.parent, waiting, noJournal)
  }

  restoreExpected(range: CharacterRange): void {
    this.#expected.add(range.last, range, noJournal)
  }

  get #unplaced(): Unplaced {
    const { version } = this.#waiting
    if (this.#known.version !== version) {
      const runs = this.waiting().flatMap(({ run }) => rowOf(run))
      const length = runs.reduce((sum, { shown }) => sum + shown.length, 0)
      this.#known = { version, runs, length }
    }
    return this.#known
  }

  #author(session: SessionId, context: Journal): TextAuthor {
    const known = this.#authors.get(session)
    if (known) return known
    const author = new TextAuthor(session)
    this.#authors.set(session, author)
    context.undo(() => this.#authors.delete(session))
    return author
  }

  /** Counts characters that the commit of an op inserts. Returns the number of the first one. */
  #count(author: TextAuthor, length: number, context: OpContext): number {
    const { commit } = context
    const first = author.count
    const isNew = author.commits.at(-1)?.seq !== commit.seq
    if (isNew) {
      author.commits.push(commit)
      author.starts.push(first)
    }
    author.count += length
    context.undo(() => {
      author.count = first
      if (!isNew) return
      author.commits.pop()
      author.starts.pop()
    })
    return first
  }

  /** Adds characters to the run of their parent, if they continue it. Returns whether they do. */
  #continues(
    parent: Character,
    { author, side, first }: { author: TextAuthor; side: CharacterSpot['side']; first: number },
    shown: string,
    context: Journal,
  ): boolean {
    if (side === 'before' || parent.author !== author || parent.number + 1 !== first) return false
    const run = author.runs.at(parent.number)
    if (run.isDeleted || run.afters || !run.block || run.length > LONG) return false
    const before = run.shown
    run.length += shown.length
    this.#show(run, before + shown)
    context.undo(() => {
      run.length -= shown.length
      this.#show(run, before)
    })
    return true
  }

  /** Places what waits for characters that are placed now. */
  #come(commit: NamedCommit, offsets: readonly [number, number], context: Journal): void {
    const coming = [...this.#waiting.take(commit, offsets, context)]
    // It grows while runs are placed that others have waited for.
    for (const { run, parent, side } of coming) {
      this.#place(run, this.find(parent), side, context)
      for (const each of rowOf(run)) {
        const { commit: own, offset } = run.author.idOf(each.first)
        coming.push(...this.#waiting.take(own, [offset, offset + each.length], context))
      }
    }
  }

  #insertRun(
    { author, first, shown }: { author: TextAuthor; first: number; shown: string },
    { id, parent, side }: Beside,
    offsets: readonly [number, number],
    context: OpContext,
  ): void {
    const run = new CharacterRun(author, first, shown.length, shown)
    author.runs.add(run)
    context.undo(() => author.runs.remove(run))
    // What a session has not made when it names it, it never makes.
    const isUnknown = id !== undefined && !parent && id.commit.prefix !== ''
    if (isUnknown || (parent && !parent.author.runs.at(parent.number).block)) {
      const named = parent ? parent.author.idOf(parent.number) : id!
      this.#waiting.add(named, { run, parent: named, side }, context)
    } else {
      this.#place(run, parent, side, context)
      this.#come(context.commit, offsets, context)
    }
  }

  #delete(author: TextAuthor, from: number, last: number, context: Journal): void {
    let run = author.runs.alive(from, last + 1)
    for (let number = from; run; run = author.runs.alive(number, last + 1)) {
      if (run.first < number) run = this.#divide(run, number, context)
      if (run.until > last + 1) this.#divide(run, last + 1, context)
      number = run.until
      this.#deleteRun(run, context)
    }
  }

  #deleteRun(run: CharacterRun, context: Journal): void {
    const { author, shown } = run
    author.runs.mark(run, true)
    this.#show(run, '')
    context.undo(() => {
      author.runs.mark(run, false)
      this.#show(run, shown)
    })
    const joined = run.first > 0 ? this.#joinTo(author.runs.at(run.first - 1), run, context) : run
    if (joined.until < author.count) {
      this.#joinTo(joined, author.runs.at(joined.until), context)
    }
  }

  /** Makes one run of two if they are one. Returns the run in which the second one is now. */
  #joinTo(run: CharacterRun, next: CharacterRun, context: Journal): CharacterRun {
    if (!isContinued(run, next)) return next
    this.#join(run, next)
    context.undo(() => this.#cut(run, next))
    return run
  }

  /** Has a run begin with a character. Returns that run. */
  #divide(run: CharacterRun, number: number, context: Journal): CharacterRun {
    const next = new CharacterRun(run.author, number, run.until - number, '')
    this.#cut(run, next)
    context.undo(() => this.#join(run, next))
    return next
  }

  /** Has `next` be the end of a run. */
  #cut(run: CharacterRun, next: CharacterRun): void {
    const { shown, author } = run
    const at = next.first - run.first
    next.length = run.length - at
    next.isDeleted = run.isDeleted
    next.shown = shown.slice(at)
    next.afters = run.afters
    next.end = run.end
    run.afters = next
    run.end = undefined
    run.length = at
    author.runs.add(next)
    this.#show(run, shown.slice(0, at))
    if (!run.block) return
    this.#sequence.insertAfter(run, next)
    this.#addEnd(run, next)
  }

  /** Inverse of {@link #cut}. */
  #join(run: CharacterRun, next: CharacterRun): void {
    run.author.runs.remove(next)
    if (run.block) {
      this.#sequence.remove(run.end!)
      this.#sequence.remove(next)
    }
    run.length += next.length
    run.afters = next.afters
    run.end = next.end
    next.afters = undefined
    next.end = undefined
    this.#show(run, run.shown + next.shown)
  }

  #show(run: CharacterRun, shown: string): void {
    this.#sequence.show(run, shown)
    if (!run.block) this.#waiting.version++
  }

  #place(
    run: CharacterRun,
    at: Character | undefined,
    wanted: CharacterSpot['side'],
    context: Journal,
  ): void {
    // Nothing is before the root.
    const side = at ? wanted : 'after'
    const parent = at ? this.#parentAt(at, side, context) : this.root
    if (side === 'after') this.#placeAfter(run, parent)
    else this.#placeBefore(run, parent)
    const row = rowOf(run)
    for (const [i, each] of row.entries()) {
      if (i > 0) this.#sequence.insertAfter(row[i - 1]!, each)
    }
    for (const [i, each] of [...row.entries()].reverse()) {
      if (i < row.length - 1) this.#addEnd(each, row[i + 1]!)
    }
    context.undo(() => {
      for (const [i, each] of row.entries()) {
        this.#sequence.remove(each)
        if (i < row.length - 1) this.#removeEnd(each)
      }
      if (side === 'after') this.#unplaceAfter(run, parent)
      else this.#unplaceBefore(run, parent)
    })
  }

  /** The run that ends, or begins, with a character. */
  #parentAt(
    { author, number }: Character,
    side: CharacterSpot['side'],
    context: Journal,
  ): CharacterRun {
    const run = author.runs.at(number)
    if (side === 'before') return number > run.first ? this.#divide(run, number, context) : run
    if (number + 1 < run.until) this.#divide(run, number + 1, context)
    return run
  }

  #placeAfter(run: CharacterRun, parent: RunParent): void {
    const isFirst = !parent.end
    parent.afters = withSibling(parent.afters, run)
    const before = siblingBefore(parent.afters, run)
    this.#sequence.insertAfter(before ? (before.end ?? before) : parent, run)
    if (isFirst) this.#addEnd(parent, run)
  }

  #unplaceAfter(run: CharacterRun, parent: RunParent): void {
    parent.afters = withoutSibling(parent.afters!, run)
    if (!parent.afters) this.#removeEnd(parent)
  }

  #placeBefore(run: CharacterRun, parent: RunParent): void {
    parent.befores = withSibling(parent.befores, run)
    const after = siblingAfter(parent.befores, run)
    this.#sequence.insertBefore(after ? (after.start ?? after) : parent, run)
    if (parent.start) return
    parent.start = new Edge(true)
    this.#sequence.insertBefore(run, parent.start)
  }

  #unplaceBefore(run: CharacterRun, parent: RunParent): void {
    parent.befores = withoutSibling(parent.befores!, run)
    if (parent.befores) return
    this.#sequence.remove(parent.start!)
    parent.start = undefined
  }

  /** Has what is after `parent` end where what is below `last` ends. */
  #addEnd(parent: RunParent, last: CharacterRun): void {
    parent.end = new Edge(false)
    this.#sequence.insertAfter(last.end ?? last, parent.end)
  }

  #removeEnd(parent: RunParent): void {
    this.#sequence.remove(parent.end!)
    parent.end = undefined
  }
}

/** Where a run is inserted: the name of its parent, and that if it has come. */
interface Beside {
  readonly id: CharacterId | undefined
  readonly parent: Character | undefined
  readonly side: CharacterSpot['side']
}

const noJournal: Journal = { undo: () => {} }

interface Numbers {
  readonly author: TextAuthor
  readonly from: number
  until: number
}

/** Whether nothing that is shown lies between the end of one range and the beginning of another. */
const isRest = (before: Numbers, { author, from }: Numbers): boolean =>
  before.author === author && (before.until === from || !author.runs.alive(before.until, from))

/** An unplaced run, and what it was divided into. */
function rowOf(run: CharacterRun): readonly CharacterRun[] {
  const row: CharacterRun[] = []
  for (let each: CharacterRun | undefined = run; each; each = onlySibling(each.afters))
    row.push(each)
  return row
}

/** Whether the characters of `next` are kept in the same run as those of `run`. */
export const isContinued = (run: CharacterRun, next: CharacterRun): boolean =>
  onlySibling(run.afters) === next &&
  run.author === next.author &&
  run.until === next.first &&
  run.isDeleted === next.isDeleted &&
  !next.befores
