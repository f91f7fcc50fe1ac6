import { compareTexts, fromHex, PREFIX_BYTES, toHex, type Value } from '@peerplane/core'

import { compareCommits, NamedCommit, type CommitTable } from '../commits.ts'
import { allSiblings, withSibling } from '../order/siblings.ts'
import { items, Void, whole } from '../void.ts'
import { TextAuthor, Edge, CharacterRun, type RunParent } from './author.ts'
import type { CharacterId } from './expected.ts'
import { Characters, isContinued, type CharacterRange, type CharacterSpot } from './characters.ts'

/*
 *   text      [authors, order, waiting, expected]
 *   authors   [session, [seq, count …], prefixes …]   sorted by session; count characters of each commit, and all prefixes as one byte string
 *   order     0 where what is before a run begins, 1 where what is after a run ends, and for each run: head, first, shown
 *   head      2, plus 4 for each author before its own, plus 2 if something is before it, plus 1 if something is after it
 *   first     the number of the first character, less the end of the run of its author that is listed before it
 *   shown     the text, in UTF-16 if a forged op has parted a surrogate pair; or how many characters are deleted
 *   waiting   [[head, first, side, commit of the parent, offset of the parent, shown …] …]
 *   expected  [commit, offset, commit, offset …]
 */

/** For a snapshot; `undefined` if there is nothing to keep. */
export function saveCharacters(characters: Characters, table: CommitTable): Value | undefined {
  const authors = [...characters.authors()]
    .filter(({ count }) => count > 0)
    .sort((a, b) => compareTexts(a.session, b.session))
  const expected = [...characters.expected()].filter(
    ({ last: { commit } }) => commit.seq > table.seen(commit.session),
  )
  if (authors.length === 0 && expected.length === 0) return undefined
  const numbers = new Map(authors.map((author, i) => [author, i]))
  return [
    authors.flatMap((author) => saveAuthor(author, table)),
    new SavedOrder(numbers).save(characters),
    characters
      .waiting()
      .map(({ run, parent: { commit, offset }, side }) => [
        numbers.get(run.author)!,
        run.first,
        side === 'before' ? 0 : 1,
        table.ref(commit),
        offset,
        ...savedRow(run),
      ]),
    saveExpected(expected, table),
  ]
}

function saveAuthor({ session, commits, starts, count }: TextAuthor, table: CommitTable): Value[] {
  const prefixes = new Uint8Array(commits.length * PREFIX_BYTES)
  const sizes = commits.flatMap(({ seq, prefix }, i) => {
    if (prefix === '') throw new Error('a commit is saved before it is made')
    prefixes.set(fromHex(prefix), i * PREFIX_BYTES)
    return [seq - (commits[i - 1]?.seq ?? 0), (starts[i + 1] ?? count) - starts[i]!]
  })
  return [table.sessionRef(session), sizes, prefixes]
}

/** Runs as they are saved: as few as possible, so that equal texts are saved alike. */
class SavedOrder {
  readonly #numbers: ReadonlyMap<TextAuthor, number>
  /** For each author, the end of its run that was saved last. */
  readonly #until = new Map<TextAuthor, number>()
  readonly #saved: Value[] = []

  constructor(numbers: ReadonlyMap<TextAuthor, number>) {
    this.#numbers = numbers
  }

  save(characters: Characters): Value[] {
    const inside = new Set<unknown>()
    let row: CharacterRun[] = []
    for (const item of characters.items()) {
      if (item instanceof CharacterRun) {
        const before = row.at(-1)
        if (before && isContinued(before, item)) inside.add(before.end)
        else this.#add(row.splice(0))
        row.push(item)
      } else if (!inside.has(item)) {
        this.#add(row)
        row = []
        this.#saved.push((item as Edge).isStart ? 0 : 1)
      }
    }
    this.#add(row)
    return this.#saved
  }

  #add(row: readonly CharacterRun[]): void {
    const [start, end] = [row[0], row.at(-1)]
    if (!start || !end) return
    const { author, first, befores } = start
    const head =
      2 +
      4 * this.#numbers.get(author)! +
      (befores && start.start ? 2 : 0) +
      (end.afters && end.end ? 1 : 0)
    this.#saved.push(head, first - (this.#until.get(author) ?? 0), savedText(row))
    this.#until.set(author, end.until)
  }
}

const savedText = (row: readonly CharacterRun[]): Value =>
  row[0]!.isDeleted
    ? row.reduce((sum, { length }) => sum + length, 0)
    : savedUnits(row.reduce((all, { shown }) => all + shown, ''))

function savedUnits(text: string): Value {
  if (text.isWellFormed()) return text
  const bytes = new Uint8Array(2 * text.length)
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    bytes[2 * i] = unit >> 8
    bytes[2 * i + 1] = unit & 255
  }
  return bytes
}

/** Inverse of {@link savedUnits}. Throws `Void`. */
function loadUnits(saved: Value | undefined): string {
  if (typeof saved === 'string') return saved
  if (!(saved instanceof Uint8Array) || saved.length % 2 > 0) throw new Void('not a text')
  let text = ''
  for (let i = 0; i < saved.length; i += 2) {
    text += String.fromCharCode(saved[i]! * 256 + saved[i + 1]!)
  }
  return text
}

function savedRow(first: CharacterRun): Value[] {
  const saved: Value[] = []
  for (let row = [first]; row.length > 0;) {
    let next = allSiblings(row.at(-1)!.afters)[0]
    while (next && isContinued(row.at(-1)!, next)) {
      row.push(next)
      next = allSiblings(next.afters)[0]
    }
    saved.push(savedText(row))
    row = next ? [next] : []
  }
  return saved
}

const compareIds = (a: CharacterId, b: CharacterId): number =>
  compareCommits(a.commit, b.commit) || a.offset - b.offset

function saveExpected(expected: readonly CharacterRange[], table: CommitTable): Value[] {
  return expected
    .toSorted((a, b) => compareIds(a.last, b.last) || compareIds(a.first, b.first))
    .flatMap(({ first, last }) => [
      table.ref(first.commit),
      first.offset,
      table.ref(last.commit),
      last.offset,
    ])
}

/** Inverse of {@link saveCharacters}. Throws `Void`. */
export function loadCharacters(saved: Value, table: CommitTable): Characters {
  const [authored, order, waiting, expected] = items(saved, 4)
  const characters = new Characters()
  const authors = groups(authored, 3).map((parts) => loadAuthor(parts, table))
  for (const author of authors) characters.restoreAuthor(author)
  loadOrder(items(order), authors, characters)
  for (const each of items(waiting)) {
    const [number, first, side, ref, offset, ...shown] = items(each)
    const author = authors[whole(number)]
    if (!author) throw new Void('not an author')
    const parent = { commit: table.commit(ref), offset: whole(offset) }
    const sideOf: CharacterSpot['side'] = side === 0 ? 'before' : 'after'
    characters.restoreWaiting({ run: loadRow(author, whole(first), shown), parent, side: sideOf })
  }
  for (const [ref, offset, lastRef, lastOffset] of groups(expected, 4)) {
    characters.restoreExpected({
      first: { commit: table.commit(ref), offset: whole(offset) },
      last: { commit: table.commit(lastRef), offset: whole(lastOffset) },
    })
  }
  return characters
}

function loadAuthor([ref, sizes, prefixes]: readonly Value[], table: CommitTable): TextAuthor {
  const author = new TextAuthor(table.session(ref))
  const bytes = prefixes instanceof Uint8Array ? prefixes : new Uint8Array()
  let seq = 0
  for (const [i, [by, count]] of groups(sizes, 2).entries()) {
    seq += whole(by, 1)
    const prefix = toHex(bytes.subarray(i * PREFIX_BYTES, (i + 1) * PREFIX_BYTES))
    author.commits.push(new NamedCommit(author.session, seq, prefix))
    author.starts.push(author.count)
    author.count += whole(count, 1)
  }
  return author
}

/** Whose sides are being read: what is after a run, or what is before one that comes later. */
type Frame =
  | { readonly after: RunParent }
  | { readonly after: undefined; readonly start: Edge; readonly befores: CharacterRun[] }

function loadOrder(
  order: readonly Value[],
  authors: readonly TextAuthor[],
  characters: Characters,
): void {
  const frames: Frame[] = [{ after: characters.root }]
  const until = new Map<TextAuthor, number>()
  for (let at = 0; at < order.length;) {
    const head = order[at]
    if (head === 0) {
      const start = new Edge(true)
      characters.restoreItem(start)
      frames.push({ after: undefined, start, befores: [] })
      at++
      continue
    }
    if (head === 1) {
      const closed = frames.pop()
      if (!closed?.after) throw new Void('an end without a beginning')
      closed.after.end = new Edge(false)
      characters.restoreItem(closed.after.end)
      at++
      continue
    }
    const bits = whole(head, 2) - 2
    const author = authors[bits >> 2]
    if (!author) throw new Void('not an author')
    const first = (until.get(author) ?? 0) + (order[at + 1] as number)
    const run = loadRun(author, first, order[at + 2])
    until.set(author, run.until)
    if ((bits & 2) > 0) takeBefores(run, frames.pop())
    addTo(frames.at(-1), run)
    characters.restoreItem(run)
    if ((bits & 1) > 0) frames.push({ after: run })
    at += 3
  }
  characters.restoreEnd()
}

function takeBefores(run: CharacterRun, frame: Frame | undefined): void {
  if (!frame || frame.after) throw new Void('an end without a beginning')
  run.start = frame.start
  for (const each of frame.befores) run.befores = withSibling(run.befores, each)
}

function addTo(frame: Frame | undefined, run: CharacterRun): void {
  if (!frame) throw new Void('an end without a beginning')
  if (frame.after) frame.after.afters = withSibling(frame.after.afters, run)
  else frame.befores.push(run)
}

function loadRun(author: TextAuthor, first: number, shown: Value | undefined): CharacterRun {
  const text = typeof shown === 'number' ? '' : loadUnits(shown)
  const length = typeof shown === 'number' ? shown : text.length
  const run = new CharacterRun(author, whole(first), whole(length, 1), text)
  author.runs.add(run)
  return run
}

function loadRow(author: TextAuthor, first: number, shown: readonly Value[]): CharacterRun {
  const start = loadRun(author, first, shown[0])
  let last = start
  for (const each of shown.slice(1)) {
    last.afters = loadRun(author, last.until, each)
    last = last.afters
  }
  return start
}

function groups(value: Value | undefined, size: number): (readonly Value[])[] {
  const list = items(value)
  if (list.length % size !== 0) throw new Void('a list has another length')
  return Array.from({ length: list.length / size }, (_, i) => list.slice(i * size, (i + 1) * size))
}
