import { readFileSync } from 'node:fs'

/** A fenced block of a page. */
export interface Block {
  page: string
  /** Line of the opening fence, from 1. */
  line: number
  language: string
  /** What follows the language, e.g. `run`. */
  words: string[]
  text: string
}

/** All fenced blocks of a Markdown file, in order. */
export function blocks(page: string): Block[] {
  const found: Block[] = []
  let open: { fence: string; block: Block; lines: string[] } | undefined
  for (const [index, line] of readFileSync(page, 'utf8').split('\n').entries()) {
    const fence = /^\s*(`{3,}|~{3,})\s*(.*)$/.exec(line)
    if (open) {
      const closes = fence?.[1]?.startsWith(open.fence) && fence[2] === ''
      if (!closes) open.lines.push(line)
      else {
        found.push({ ...open.block, text: open.lines.join('\n') })
        open = undefined
      }
    } else if (fence) {
      const [language = '', ...words] = (fence[2] ?? '').trim().split(/\s+/)
      const block = { page, line: index + 1, language, words, text: '' }
      open = { fence: fence[1] ?? '```', block, lines: [] }
    }
  }
  if (open) throw new Error(`${page}:${open.block.line}: the block is never closed`)
  return found
}

/** What the page shows as the output of a block, if it does. */
export function outputAfter(block: Block, all: readonly Block[]): string | undefined {
  const next = all[all.indexOf(block) + 1]
  return next?.words.includes('output') ? next.text.trim() : undefined
}

/** The page without its fenced blocks and inline code: what a reader sees as prose. */
export function prose(page: string): string {
  return readFileSync(page, 'utf8')
    .replaceAll(/^\s*(`{3,})[^\n]*\n[\s\S]*?^\s*\1\s*$/gm, '')
    .replaceAll(/`[^`\n]*`/g, (code) => code.slice(1, -1).replaceAll(/[[\]()<>]/g, ''))
}

/** A paragraph, an item of a list or a row of a table. */
export interface Paragraph {
  /** What stands in it as inline code. */
  code: string[]
}

/** The paragraphs of a page, without its fenced blocks. */
export function paragraphs(page: string): Paragraph[] {
  return readFileSync(page, 'utf8')
    .replaceAll(/^\s*(`{3,})[^\n]*\n[\s\S]*?^\s*\1\s*$/gm, '')
    .split(/\n(?=\s*\n|\s*[-*] |\s*\d+\. |\|)/)
    .map((text) => ({ code: [...text.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code) }))
}
