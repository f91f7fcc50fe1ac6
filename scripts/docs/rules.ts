import { readFileSync } from 'node:fs'

/** The id of a rule of the protocol. */
const ID = /\bR-[A-Z]+-\d+\b/g

/** An id at the beginning of a sentence, which is the rule. Everywhere else, an id refers to a rule. */
const RULE = /(?<=^|[-.:;|] |\*\* ?)`(R-[A-Z]+-\d+)`(?= )/gm

/** What is wrong with the rules of `page`, each of which has an id of its own, and with those that other files name. */
export function unknownRules(page: string, files: readonly string[]): string[] {
  const ids = [...readFileSync(page, 'utf8').matchAll(RULE)].map(([, id = '']) => id)
  const rules = new Set(ids)
  const twice = ids.filter((id, index) => ids.indexOf(id) < index)
  return [
    ...(rules.size === 0 ? [`${page}: there are no rules`] : []),
    ...twice.map((id) => `${page}: ${id} is the id of two rules`),
    ...[page, ...files.filter((file) => file !== page)].flatMap((file) =>
      idsIn(file)
        .filter((id) => !rules.has(id))
        .map((id) => `${file}: ${page} has no rule ${id}`),
    ),
  ]
}

const idsIn = (file: string): string[] => readFileSync(file, 'utf8').match(ID) ?? []
