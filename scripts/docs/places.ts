import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { blocks, paragraphs } from './markdown.ts'

const FILE = /^[\w.@-]+(?:\/[\w.@-]+)*\.(?:ts|tsx|mjs)$/
const FOLDER = /^[\w.@-]+(?:\/[\w.@-]+)*\/$/
/** Stand for files that a reader makes. */
const TO_BE_MADE = /(?:^|\/)(?:NAME|mine|x)\./
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/

const sources = globSync('{packages,apps,bench,docs,examples,scripts}/**/*.{ts,tsx,mjs}', {
  exclude: (path) => /(?:^|\/)(?:node_modules|dist|\.docs)$/.test(path),
})

/** Source files that a page names in code and that are nowhere: each is the whole end of a path, such as `space/models.ts`. */
export function missingFiles(page: string): string[] {
  return paragraphs(page)
    .flatMap(({ code }) => code)
    .filter((code) => FILE.test(code) && !TO_BE_MADE.test(code))
    .filter((file) => filesAt(file).length === 0)
    .map((file) => `${page}: there is no ${file}`)
}

/** Files and folders in the drawings of a package's README that are not in its `src`. */
export function missingParts(page: string): string[] {
  return blocks(page)
    .filter(({ language, words }) => language === 'text' && words.length === 0)
    .flatMap(({ text }) => [
      ...text.matchAll(/(?<![\w./-])[\w-]+(?:\/[\w-]+)*(?:\.ts|\/)(?![\w/])/g),
    ])
    .map(([name]) => name)
    .filter((name) => name !== 'src/' && !existsSync(join(dirname(page), 'src', name)))
    .map((name) => `${page}: there is no ${name} in src`)
}

/**
 * Names in code that no file of their paragraph contains, or no source if it names none; and folders that are nowhere. For pages that say where
 * something is.
 */
export function missingNames(page: string): string[] {
  return paragraphs(page).flatMap(({ code }) => {
    const folders = code.filter((each) => FOLDER.test(each))
    const files = [...code.filter((each) => FILE.test(each)), ...folders].flatMap(filesAt)
    const texts = (files.length > 0 ? files : sources).map((file) => readFileSync(file, 'utf8'))
    const isSomewhere = (name: string): boolean =>
      texts.some((text) => new RegExp(String.raw`(?<![\w$])${escaped(name)}(?![\w$])`).test(text))
    return [
      ...folders
        .filter((folder) => filesAt(folder).length === 0)
        .map((folder) => `${page}: there is no ${folder}`),
      ...code
        .filter((each) => IDENTIFIER.test(each) && !isSomewhere(each))
        .map((name) => `${page}: ${name} is not in the files that its paragraph names`),
    ]
  })
}

/** Sources at a path or below a folder: from the root, or as the end of a path. */
function filesAt(place: string): string[] {
  if (existsSync(place)) {
    return statSync(place).isDirectory()
      ? sources.filter((each) => each.startsWith(place))
      : [place]
  }
  return sources.filter((each) =>
    place.endsWith('/') ? each.includes(`/${place}`) : `/${each}`.endsWith(`/${place}`),
  )
}

const escaped = (name: string): string => name.replaceAll('$', String.raw`\$`)
