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

/** How long a run that has printed all it should may still print something else. */
const SETTLE_MS = 1_000

/**
 * Runs a command and compares all that it prints.
 * @param expected what it has to print; then it is stopped. Without it the command has to end on its own
 * @returns what is wrong, or undefined
 */
export function output(
  [program = '', ...args]: readonly string[],
  expected: string | undefined,
  { cwd, env = process.env }: { cwd: string; env?: NodeJS.ProcessEnv },
): Promise<string | undefined> {
  // A group of its own, so that what it starts is stopped with it.
  const child = spawn(program, args, {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const stop = (): void => {
    if (child.exitCode === null) process.kill(-child.pid!, 'SIGKILL')
  }
  let printed = ''
  let errors = ''
  return new Promise((resolve) => {
    const limit = setTimeout(stop, RUN_LIMIT_MS)
    let settling: NodeJS.Timeout | undefined
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text
      if (expected !== undefined && printed.length >= expected.length) {
        settling ??= setTimeout(stop, SETTLE_MS)
      }
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
    child.on('error', (error) => (errors += error.message))
    child.on('close', (code, signal) => {
      clearTimeout(limit)
      clearTimeout(settling)
      const stopped = signal !== null && settling !== undefined
      const fine = expected === undefined ? code === 0 : printed.trim() === expected
      const end = `exit code ${code}`
      resolve(
        fine && (code === 0 || stopped) ? undefined : `wrong output (${end}):\n${printed}${errors}`,
      )
    })
  })
}
