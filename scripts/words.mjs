// Refuses phrases that make a reader stop, words that the glossary rules out, and names that two files export for different things: in code,
// docs and messages. Prints where, what, and what to write instead. `node scripts/words.mjs PATH …` looks at these paths only.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const GLOSSARY = new URL('../docs/glossary.md', import.meta.url)

/** Each phrase, as a regular expression without case, and what says the same in plain English. */
export const REFUSED = /** @type {const} */ ([
  // Archaic or literary.
  ['whoever|whosoever', 'a device that …, the caller, anyone who …'],
  ['shall', 'must, or will'],
  ['seldom', 'rarely'],
  ['mend(s|ed|ing)?', 'repair, fix'],
  ['nevertheless', 'still, anyway'],
  ['thereupon|whereupon', 'then'],
  ['wherein|therein|herein', 'in which, in it'],
  ['thereof|hereof', 'of it'],
  ['hitherto', 'until now'],
  ['hereby|thereby', 'by this'],
  ['henceforth|thenceforth', 'from then on'],
  ['upon', 'on'],
  ['till', 'until'],
  ['whilst', 'while'],
  ['amongst', 'among'],
  ['lest', 'so that … not'],
  ['albeit', 'although'],
  ['anew', 'again, from the start'],
  ['altogether', 'in total'],
  ['be it', 'whether it is'],
  ['whatsoever', 'at all'],
  ['withal', 'with it'],
  ['to and fro', 'back and forth'],
  ['now and then', 'sometimes'],
  ['before long', 'soon'],
  // Clauses that hide who does what.
  ['(is|are|was|were|be|been|being) told', 'is notified, gets, is called with'],
  ['(that|which) (is|are) none', 'that is not one'],
  ['has none', 'has no …'],
  ['for what is (no|not)', 'for anything but'],
  ['without a word', 'silently'],
  ['all the same', 'anyway'],
  ['in good order', 'cleanly'],
  ['(comes?|came) about', 'is made, happens'],
  ['taken for', 'mistaken for'],
  ['made again', 'rebuilt'],
  ['any more', 'no longer'],
  ['foreign (?!librar)', 'remote, of other devices'],
  ['under way', 'in progress, pending'],
  ['what becomes of', 'what happens to'],
  ['what came of', 'the outcome of'],
  ['comes? into being', 'is created'],
  ['by itself', 'automatically, on its own, alone'],
  ['of no (use|avail)', 'useless'],
  ['not to be had', 'unavailable'],
  ['(dearer|dearest|dear)', 'expensive, costly'],
  ['word too many', 'unexpected argument'],
  ['how the (running )?(daemon|plane) is', 'the status of …'],
  ['the wiser', 'unnoticed'],
  ['comes? upon', 'reaches, finds'],
  ['takes? down what', 'records'],
  ['looks? on', 'observes'],
  ['for want of', 'for lack of'],
  ['is the matter', 'is wrong'],
  ['save for', 'except for'],
  ['the other way round', 'in reverse'],
  ['one and the same', 'the same'],
  ['is owed', 'is due'],
  // Word order and prepositions of another language.
  ['an own', 'its own, of this device'],
  ['(other|another) (?!(\\w+er|more|less)\\b)\\w+ than', 'a … other than, that differs from'],
  ['in turns', 'in turn, alternately'],
  ['(for|in) the case that', 'if, in case'],
  ['(throws|rejects)( `[\\w-]+`)? where', '… if'],
])

/** Files that must name what they refuse. */
const EXCEPT = ['scripts/words.mjs', 'scripts/words.test.ts', 'docs/glossary.md']

/** Names that several files may export, with the reason. */
const SHARED = new Map([
  ['OpenOptions', 'what `open` takes on each platform; an application sees one of them'],
])

/**
 * The words that the glossary rules out, in its table "refused | instead".
 * @param {string} glossary
 * @returns {[refused: string, instead: string][]}
 */
export function ruledOut(glossary) {
  const table = glossary.slice(glossary.indexOf('| refused |')).split('\n').slice(2)
  return table
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, words = '', instead = '']) => [`(?:${words.split(', ').join('|')})s?`, instead])
}

/**
 * Where a text holds refused phrases.
 * @param {string} text
 * @param {readonly (readonly [phrase: string, instead: string])[]} refused
 * @returns {{ line: number, found: string, instead: string }[]}
 */
export function refusedIn(text, refused = REFUSED) {
  const patterns = refused.map(
    ([phrase, instead]) =>
      /** @type {const} */ ([new RegExp(`\\b(?:${phrase})\\b`, 'gi'), instead]),
  )
  return text
    .split('\n')
    .flatMap((content, index) =>
      patterns.flatMap(([pattern, instead]) =>
        [...content.matchAll(pattern)].map(([found]) => ({ line: index + 1, found, instead })),
      ),
    )
}

/**
 * Types and classes that more than one of these sources declares and exports. A name that is passed on has one declaration.
 * @param {ReadonlyMap<string, string>} sources by path
 * @returns {{ name: string, paths: string[] }[]}
 */
export function sharedNames(sources) {
  /** @type {Map<string, string[]>} */
  const paths = new Map()
  for (const [path, source] of sources) {
    for (const [, name = ''] of source.matchAll(
      /^export (?:declare )?(?:abstract )?(?:class|interface|type) (\w+)/gm,
    )) {
      paths.set(name, [...(paths.get(name) ?? []), path])
    }
  }
  return [...paths]
    .filter(([name, all]) => all.length > 1 && !SHARED.has(name))
    .map(([name, all]) => ({ name, paths: all }))
}

/**
 * Files in the repository, with their texts.
 * @param {string[]} paths
 */
function read(paths) {
  const listed = execFileSync('git', ['ls-files', '--', ...paths], { encoding: 'utf8' })
  const files = listed
    .split('\n')
    .filter((path) => /\.(ts|mjs|md|html|css)$/.test(path) && existsSync(path))
  return new Map(files.map((path) => [path, readFileSync(path, 'utf8')]))
}

/** @param {string[]} paths */
function check(paths) {
  const texts = read(paths)
  const refused = [...REFUSED, ...ruledOut(readFileSync(GLOSSARY, 'utf8'))]
  const lines = [...texts]
    .filter(([path]) => !EXCEPT.includes(path))
    .flatMap(([path, text]) =>
      refusedIn(text, refused).map(
        ({ line, found, instead }) => `${path}:${line}: "${found}"; instead: ${instead}`,
      ),
    )
  const product = [...texts].filter(
    ([path]) => /^(packages|apps)\/.*\.ts$/.test(path) && !path.endsWith('.test.ts'),
  )
  for (const { name, paths } of sharedNames(new Map(product))) {
    lines.push(`${paths.join(', ')}: all export a type ${name}; instead: a name for each`)
  }
  for (const line of lines) console.log(line)
  console.log(`${refused.length} phrases, ${texts.size} files, ${lines.length} found`)
  return lines.length > 0 ? 1 : 0
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = check(process.argv.slice(2))
}
