// Draws sentences that people read: of doc comments on what packages export, error messages, help and docs. `node scripts/sentences.mjs SEED
// COUNT`. A reviewer reads each once; one that stops the reader is rewritten, and so are others of its kind.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Sources whose texts are messages, help or generated pages. */
const MESSAGES = /\/(errors|limits|commands|config|trace)\.ts$/

const [seed = '1', count = '100'] = process.argv.slice(2)
const files = execFileSync('git', ['ls-files', '*.md', 'packages/*/src/*.ts'], { encoding: 'utf8' })
  .split('\n')
  .filter((path) => path !== '' && !path.startsWith('docs/api/') && !path.endsWith('.test.ts'))
const texts = new Map(files.map((path) => [path, readFileSync(path, 'utf8')]))
const exported = new Set(
  [...texts]
    .filter(([path]) => /^packages\/\w[\w-]*\/src\/(index|libp2p\/index|campaign)\.ts$/.test(path))
    .flatMap(([, text]) => [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)])
    .flatMap(([, names = '']) => names.split(',').map((name) => name.trim().replace(/^type /, ''))),
)
const sentences = [...texts].flatMap(([path, text]) => {
  const parts = path.endsWith('.md') ? prose(text) : [...docs(text), ...messages(path, text)]
  return parts
    .flatMap((part) => part.split(/(?<=[.?!]) (?=\S)/))
    .map((each) => each.trim())
    .filter((each) => each.split(' ').length > 4)
    .map((each) => `${path}: ${each}`)
})
for (const sentence of draw(sentences, Number(count), Number(seed))) console.log(sentence)

/** @param {string} text */
function prose(text) {
  return text.replaceAll(/```[\s\S]*?```/g, '').split(/\n+|\|/)
}

/**
 * Doc comments of exported declarations and of their members, without drawings and examples; each item of a list on its own.
 * @param {string} text
 */
function docs(text) {
  const blocks = text.matchAll(
    /(?:\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?export (?:abstract )?(?:async )?(?:class|interface|type|function|const) (\w+)[\s\S]*?(?=\n\n|\n\}\n|$)/g,
  )
  return [...blocks]
    .filter(([, name = '']) => exported.has(name))
    .flatMap(([block]) => [...block.matchAll(/\/\*\*([\s\S]*?)\*\//g)])
    .flatMap(([, comment = '']) => comment.replaceAll(/^\s*\* {5,}.*$/gm, '').split(/^\s*\* - /m))
    .map((part) => part.replaceAll(/^\s*\* ?/gm, ' ').replaceAll(/\s+/g, ' '))
}

/**
 * @param {string} path
 * @param {string} text
 */
function messages(path, text) {
  if (!MESSAGES.test(path)) return []
  return [...text.matchAll(/'([^'\n]{30,})'/g)].map(([, message = '']) => message)
}

/**
 * Takes `count` of `all`, the same for the same seed.
 * @param {readonly string[]} all
 * @param {number} count
 * @param {number} seed
 */
function draw(all, count, seed) {
  const rest = [...all]
  let state = seed >>> 0
  return Array.from({ length: Math.min(count, rest.length) }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return rest.splice(Math.floor((state / 2 ** 32) * rest.length), 1)[0] ?? ''
  })
}
