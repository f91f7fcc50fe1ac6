import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

import { type Block, outputAfter } from './markdown.ts'
import { output } from './programs.ts'

/**
 * Runs all `sh run` blocks, each page in a directory of its own, in which `peerplane` leads to this checkout. The registry is not asked;
 * `npx` finds the programs of this checkout, as if they were installed for the whole machine.
 */
export async function shellProblems(
  all: readonly Block[],
): Promise<{ problems: string[]; ran: number }> {
  const chosen = all.filter(({ language, words }) => language === 'sh' && words[0] === 'run')
  const problems: string[] = []
  for (const page of new Set(chosen.map((block) => block.page))) {
    const place = mkdtempSync(join(tmpdir(), 'docs-'))
    try {
      symlinkSync(resolve('.'), join(place, 'peerplane'))
      mkdirSync(join(place, 'machine'))
      symlinkSync(resolve('node_modules', '.bin'), join(place, 'machine', 'bin'))
      for (const block of chosen.filter((each) => each.page === page)) {
        const problem = await run(block, all, place)
        if (problem) problems.push(`${page}:${block.line}: ${problem}`)
      }
    } finally {
      rmSync(place, { recursive: true })
    }
  }
  return { problems, ran: chosen.length }
}

function run(block: Block, all: readonly Block[], place: string): Promise<string | undefined> {
  const [, folder = '.', file] = block.words
  const cwd = join(place, folder)
  mkdirSync(cwd, { recursive: true })
  if (file !== undefined) {
    const before = all.slice(0, all.indexOf(block))
    const program = before.findLast(({ language }) => language === 'ts')
    writeFileSync(join(cwd, file), program?.text ?? '')
  }
  const env = {
    ...process.env,
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
    npm_config_prefix: join(place, 'machine'),
  }
  return output(['sh', '-ec', block.text], outputAfter(block, all), { cwd, env })
}
