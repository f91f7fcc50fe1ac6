import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

const RUN_LIMIT_MS = 60_000

/** Messages of the compiler about the programs in some folders; its configuration is put into `home`, two levels below the root. */
export function typeErrors(home: string, folders: readonly string[]): string[] {
  const config = {
    extends: '../../tsconfig.base.json',
    compilerOptions: {
      noEmit: true,
      rewriteRelativeImportExtensions: false,
      allowImportingTsExtensions: true,
      declaration: false,
      declarationMap: false,
      noUnusedLocals: false,
      types: ['node'],
    },
    include: folders.map((folder) => join(relative(home, folder), '*.ts')),
  }
  writeFileSync(join(home, 'tsconfig.json'), JSON.stringify(config))
  const { stdout, status } = spawnSync('tsc', ['-p', home], { encoding: 'utf8' })
  return status === 0 ? [] : stdout.trim().split('\n')
}

/**
 * Run a program in an empty folder.
 * @param expected what it has to print; without it the program has to end by itself
 * @returns what is wrong, or undefined
 */
export function output(
  file: string,
  expected: string | undefined,
  cwd: string,
): Promise<string | undefined> {
  const child = spawn('node', ['--conditions=source', file], { cwd })
  let printed = ''
  let errors = ''
  return new Promise((resolve) => {
    const limit = setTimeout(() => child.kill('SIGKILL'), RUN_LIMIT_MS)
    const complete = (): boolean => expected !== undefined && printed.includes(expected)
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text
      if (complete()) child.kill()
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
    child.on('close', (code) => {
      clearTimeout(limit)
      const fine = expected === undefined ? code === 0 : complete()
      resolve(fine ? undefined : `wrong output (exit code ${code}):\n${printed}${errors}`)
    })
  })
}
