import type { SessionId } from '@peerplane/core'

import type { NamedCommit } from '../commits.ts'
import type { Siblings } from '../order/siblings.ts'
import { Piece } from './sequence.ts'

/** Where what is before, or after, something in the order begins or ends. */
export class Edge extends Piece {
  /** Whether what is before something begins here; otherwise, what is after something ends here. */
  readonly isStart: boolean

  constructor(isStart: boolean) {
    super()
    this.isStart = isStart
  }
}

/** The root, or a run: an item with runs before and after it. Only one that has runs there has an edge there. */
export class RunParent extends Piece {
  befores: Siblings<CharacterRun> | undefined = undefined
  afters: Siblings<CharacterRun> | undefined = undefined
  start: Edge | undefined = undefined
  end: Edge | undefined = undefined
}

/**
 * Characters of one session that follow each other: each but the first is after the one before, and nothing else is between them. They are all
 * shown, or all deleted.
 */
export class CharacterRun extends RunParent {
  readonly author: TextAuthor
  /** The number of the first character among all of the session. */
  readonly first: number
  length: number
  isDeleted: boolean

  constructor(author: TextAuthor, first: number, length: number, shown: string) {
    super()
    this.author = author
    this.first = first
    this.length = length
    this.isDeleted = shown.length < length
    this.shown = shown
  }

  get session(): SessionId {
    return this.author.session
  }

  /** The number after that of the last character. */
  get until(): number {
    return this.first + this.length
  }
}

/** A character, by its number among those of its session. */
export interface Character {
  readonly author: TextAuthor
  readonly number: number
}

/** What one session has inserted. Its characters are numbered in the order in which it has inserted them. */
export class TextAuthor {
  readonly session: SessionId
  /** The commits that have inserted something. */
  readonly commits: NamedCommit[] = []
  /** The number of the first character of each of them. */
  readonly starts: number[] = []
  /** How many characters there are. */
  count = 0
  readonly runs = new Runs()

  constructor(session: SessionId) {
    this.session = session
  }

  /** The number of a character of a commit; `undefined` if the commit has not inserted as many, or is another one. */
  numberOf({ seq, prefix }: NamedCommit, offset: number): number | undefined {
    const at = lastAt(this.commits, (commit) => commit.seq <= seq)
    const found = this.commits[at]
    if (found?.seq !== seq || (prefix !== '' && found.prefix !== prefix)) return undefined
    const number = this.starts[at]! + offset
    return number < (this.starts[at + 1] ?? this.count) ? number : undefined
  }

  /** Inverse of {@link numberOf}. */
  idOf(number: number): { readonly commit: NamedCommit; readonly offset: number } {
    const at = lastAt(this.starts, (start) => start <= number)
    return { commit: this.commits[at]!, offset: number - this.starts[at]! }
  }

  /** How many characters a commit has inserted so far. */
  countOf({ seq }: NamedCommit): number {
    return this.commits.at(-1)?.seq === seq ? this.count - this.starts.at(-1)! : 0
  }
}

/** Runs beside each other, and how many of them are not deleted. */
interface Group {
  readonly runs: CharacterRun[]
  alive: number
}

/** Larger groups are divided. */
const MOST = 512

/** The runs of one session by their numbers. */
class Runs {
  readonly #groups: Group[] = []
  size = 0

  /** The run with a character that exists. */
  at(number: number): CharacterRun {
    const { runs } = this.#groups[this.#groupOf(number)]!
    return runs[lastAt(runs, ({ first }) => first <= number)]!
  }

  add(run: CharacterRun): void {
    this.size++
    const at = Math.max(0, this.#groupOf(run.first))
    const group = this.#groups[at] ?? { runs: [], alive: 0 }
    if (this.#groups.length === 0) this.#groups.push(group)
    group.runs.splice(lastAt(group.runs, ({ first }) => first < run.first) + 1, 0, run)
    if (!run.isDeleted) group.alive++
    if (group.runs.length <= MOST) return
    const isLast = at === this.#groups.length - 1
    // Most sessions add at the end.
    const rest = group.runs.splice(isLast ? MOST : MOST / 2)
    const alive = rest.filter(({ isDeleted }) => !isDeleted).length
    group.alive -= alive
    this.#groups.splice(at + 1, 0, { runs: rest, alive })
  }

  remove(run: CharacterRun): void {
    this.size--
    const at = this.#groupOf(run.first)
    const group = this.#groups[at]!
    group.runs.splice(group.runs.indexOf(run), 1)
    if (!run.isDeleted) group.alive--
    if (group.runs.length === 0) this.#groups.splice(at, 1)
  }

  /** Has a run be deleted, or no longer. */
  mark(run: CharacterRun, isDeleted: boolean): void {
    run.isDeleted = isDeleted
    this.#groups[this.#groupOf(run.first)]!.alive += isDeleted ? -1 : 1
  }

  /** The first run that is not deleted and has a character from `number` on and before `until`. */
  alive(number: number, until: number): CharacterRun | undefined {
    for (let at = Math.max(0, this.#groupOf(number)); at < this.#groups.length; at++) {
      const { runs, alive } = this.#groups[at]!
      if (runs[0]!.first >= until) return undefined
      if (alive === 0) continue
      for (
        let i = Math.max(
          0,
          lastAt(runs, ({ first }) => first <= number),
        );
        i < runs.length;
        i++
      ) {
        const run = runs[i]!
        if (run.first >= until) return undefined
        if (!run.isDeleted && run.until > number) return run
      }
    }
    return undefined
  }

  #groupOf(number: number): number {
    return lastAt(this.#groups, ({ runs }) => runs[0]!.first <= number)
  }
}

/** The place of the last item for which `holds`, as it does for all before it; -1 if there is none. */
function lastAt<T>(items: readonly T[], holds: (item: T) => boolean): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(items[middle]!)) low = middle + 1
    else high = middle
  }
  return low - 1
}
