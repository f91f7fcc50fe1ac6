import type { Json, TextHandle } from '@peerplane/core'

import type { Execution } from './knowledge.ts'

interface Input {
  readonly key: string
  readonly mark: string
  readonly by: number
}

/** A word says which command has written it. */
const WORD = /<[^<>]*>/g

/** Writes a word at the end, or before another one. */
export function tellWord(story: TextHandle, { key, mark, by }: Input): void {
  const begins = [...story.value.matchAll(WORD)].map(({ index }) => index)
  const at = by % 3 === 0 ? story.length : (begins.at(by % 4) ?? story.length)
  const place = by % 2 === 0 ? at : story.positionAt(at)
  // As it is typed: in two pieces.
  story.insert(place, `<${key} `)
  story.insert(at + key.length + 2, `${mark}>`)
}

/** Deletes all words that were written with `key`. */
export function strikeWords(story: TextHandle, { key }: Pick<Input, 'key'>): void {
  const words = [...story.value.matchAll(WORD)].filter(([word]) => word.startsWith(`<${key} `))
  for (const { index, 0: word } of words.reverse()) story.delete(index, word.length)
}

/** Checks which words are in the text, each once and whole: those that no deletion has seen. */
export function expectWords(
  value: Json | undefined,
  effects: readonly Execution[],
): string | undefined {
  const strikes = effects.filter(({ command }) => command === 'strike')
  const words = effects
    .filter(
      ({ command, input, mark }) =>
        command === 'tell' &&
        !strikes.some((strike) => strike.input.key === input.key && strike.seen.has(mark)),
    )
    .map(({ input, mark }) => `<${input.key} ${mark}>`)
  const text = value as string
  const shown = text.match(WORD) ?? []
  const isWhole = shown.join('') === text
  if (isWhole && shown.toSorted().join() === words.sort().join()) return undefined
  return `story is ${JSON.stringify(text)} and should have the words ${JSON.stringify(words)}`
}
