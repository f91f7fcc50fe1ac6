/** A part of a text that another one replaces. Positions are UTF-16 units of the old text. */
export interface Hunk {
  readonly at: number
  readonly remove: number
  readonly text: string
}

/**
 * What to replace in `before` so that it becomes `after`, from the end to the beginning: each position holds after the hunks before it.
 *
 * Compares words, so that a word that was exchanged is one hunk; no hunk cuts a surrogate pair. Texts that differ in more than
 * {@link MOST_EDITS} words, or in ways that are too costly to find, differ in one hunk between their common beginning and end.
 *
 * Source: Myers, An O(ND) Difference Algorithm and Its Variations, 1986: the greedy algorithm.
 */
export function diffTexts(before: string, after: string): readonly Hunk[] {
  if (before === after) return []
  const whole = trim({ at: 0, remove: before.length, text: after }, before)
  if (whole.remove === 0 || whole.text.length === 0) return [whole]
  const from = startOfWord(before, whole.at)
  const skipped = whole.at - from
  const until = whole.at + whole.remove
  const old = words(before.slice(from, until))
  const now = words(before.slice(from, from + skipped) + whole.text)
  const hunks = diffWords(old, now)
  if (!hunks) return [whole]
  return hunks
    .map((hunk) => trim({ ...hunk, at: from + hunk.at }, before))
    .filter(({ remove, text }) => remove > 0 || text.length > 0)
}

/** More differing words than this are replaced together: finding them costs the square of their number. */
const MOST_EDITS = 512
/** Comparisons of words; more take longer than a keystroke may. */
const MOST_STEPS = 2_000_000

const words = (text: string): readonly string[] => text.match(WORD) ?? []
/** Letters and digits, or spaces, or one other character: together every text. */
const WORD = /[\p{L}\p{N}\p{M}_]+|\s+|[^]/gu

/** Where the word that stands at a position begins. */
function startOfWord(text: string, at: number): number {
  let start = at
  while (start > 0 && at - start < 64 && /[\p{L}\p{N}\p{M}_]/u.test(text[start - 1]!)) start--
  return isInPair(text, start) ? start - 1 : start
}

/** The hunk without what both texts have in common at its beginning and end. */
function trim({ at, remove, text }: Hunk, before: string): Hunk {
  const most = Math.min(remove, text.length)
  let start = 0
  while (start < most && before.charCodeAt(at + start) === text.charCodeAt(start)) start++
  if (isInPair(before, at + start) || isInPair(text, start)) start--
  let end = 0
  while (
    end < most - start &&
    before.charCodeAt(at + remove - end - 1) === text.charCodeAt(text.length - end - 1)
  ) {
    end++
  }
  if (isInPair(before, at + remove - end) || isInPair(text, text.length - end)) end--
  return {
    at: at + start,
    remove: remove - start - end,
    text: text.slice(start, text.length - end),
  }
}

/** Whether a position lies within a surrogate pair. */
export const isInPair = (text: string, at: number): boolean =>
  (text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800

/** Hunks from the end to the beginning, or `undefined` if there are too many. */
function diffWords(old: readonly string[], now: readonly string[]): readonly Hunk[] | undefined {
  const furthest = walk(old, now)
  if (!furthest) return undefined
  const edits: Edit[] = []
  let x = old.length
  let y = now.length
  for (let step = furthest.length - 1; step > 0; step--) {
    const last = furthest[step - 1]!
    const isInsert = isDown(last, x - y, step)
    const diagonal = x - y + (isInsert ? 1 : -1)
    const startX = last[diagonal + step - 1]!
    const startY = startX - diagonal
    edits.push({ x: startX, y: startY, isInsert })
    x = startX
    y = startY
  }
  return join(edits, old, now)
}

/** A word of `now` inserted, or a word of `old` removed, at this place of both. */
interface Edit {
  readonly x: number
  readonly y: number
  readonly isInsert: boolean
}

/** For each number of edits: how far in `old` they lead on each diagonal, from -edits to +edits. */
function walk(old: readonly string[], now: readonly string[]): readonly Int32Array[] | undefined {
  const rows: Int32Array[] = []
  let left = MOST_STEPS
  for (let edits = 0; edits <= MOST_EDITS; edits++) {
    const row = new Int32Array(2 * edits + 1)
    const last = rows.at(-1)
    rows.push(row)
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = 0
      if (last) {
        x = isDown(last, diagonal, edits)
          ? last[diagonal + edits]!
          : last[diagonal + edits - 2]! + 1
      }
      const from = x
      while (x < old.length && x - diagonal < now.length && old[x] === now[x - diagonal]) x++
      row[diagonal + edits] = x
      left -= 1 + x - from
      if (x >= old.length && x - diagonal >= now.length) return rows
    }
    if (left < 0) return undefined
  }
  return undefined
}

/** Whether the furthest way to a diagonal comes by an insertion. `last` has the ways with one edit less than `edits`. */
const isDown = (last: Int32Array, diagonal: number, edits: number): boolean =>
  diagonal === -edits ||
  (diagonal !== edits && last[diagonal + edits - 2]! < last[diagonal + edits]!)

/** Neighbouring edits as one hunk each. */
function join(
  edits: readonly Edit[],
  old: readonly string[],
  now: readonly string[],
): readonly Hunk[] {
  const starts = new Int32Array(old.length + 1)
  for (const [i, word] of old.entries()) starts[i + 1] = starts[i]! + word.length
  const hunks: Hunk[] = []
  let at = 0
  while (at < edits.length) {
    let { x, y } = edits[at]!
    const endX = x + (edits[at]!.isInsert ? 0 : 1)
    const endY = y + (edits[at]!.isInsert ? 1 : 0)
    for (at++; at < edits.length; at++) {
      const next = edits[at]!
      const isNext =
        next.x + (next.isInsert ? 0 : 1) === x && next.y + (next.isInsert ? 1 : 0) === y
      if (!isNext) break
      ;({ x, y } = next)
    }
    hunks.push({
      at: starts[x]!,
      remove: starts[endX]! - starts[x]!,
      text: now.slice(y, endY).join(''),
    })
  }
  return hunks
}
