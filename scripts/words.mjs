// Refuses phrases that make a reader stop, and words that the glossary rules out: in code, docs and messages. Prints place, phrase and what to
// write instead. `node scripts/words.mjs PATH …` looks at these paths only.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

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
  ['that is none', 'that is not one'],
  ['has none', 'has no …'],
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
  // Words that the glossary rules out.
  ['masters?|slaves?', 'leader, follower'],
  ['version vectors?', 'frontier'],
  ['share links?', 'invitation'],
  ['replica ids?', 'device'],
  ['sync protocols?', 'anti-entropy, protocol'],
])

/** Files that must name what they refuse. */
const EXCEPT = ['scripts/words.mjs', 'scripts/words.test.ts', 'docs/glossary.md']

/**
 * Where a text holds refused phrases.
 * @param {string} text
 * @returns {{ line: number, found: string, instead: string }[]}
 */
export function refusedIn(text) {
  return text.split('\n').flatMap((content, index) =>
    REFUSED.flatMap(([phrase, instead]) =>
      [...content.matchAll(new RegExp(`\\b(?:${phrase})\\b`, 'gi'))].map(([found]) => ({
        line: index + 1,
        found,
        instead,
      })),
    ),
  )
}

/** @param {string[]} paths */
function check(paths) {
  const listed = execFileSync('git', ['ls-files', '--', ...paths], { encoding: 'utf8' })
  const files = listed
    .split('\n')
    .filter((path) => /\.(ts|mjs|md|html|css)$/.test(path) && !EXCEPT.includes(path))
  const lines = files.flatMap((path) =>
    refusedIn(readFileSync(path, 'utf8')).map(
      ({ line, found, instead }) => `${path}:${line}: "${found}"; instead: ${instead}`,
    ),
  )
  for (const line of lines) console.log(line)
  console.log(`${REFUSED.length} phrases, ${files.length} files, ${lines.length} found`)
  return lines.length > 0 ? 1 : 0
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.exitCode = check(process.argv.slice(2))
}
