import { spawnSync } from 'node:child_process'
import { existsSync, globSync, rmSync } from 'node:fs'

/** Compiles every package into its `dist`, which then holds nothing else. */
export function buildPackages(): void {
  removeStale()
  succeed('tsc', ['-b', 'packages/node', 'packages/browser', 'packages/testing'])
}

/** Runs a command to its end; throws with its output when it fails. */
export function succeed(command: string, args: readonly string[]): void {
  const { error, status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (error) throw error
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`)
}

/** The compiler leaves what it once made from files that are gone. */
function removeStale(): void {
  for (const file of globSync('packages/*/dist/**/*.{js,d.ts}')) {
    const source = file.replace('/dist/', '/src/').replace(/(\.d\.ts|\.js)$/, '.ts')
    if (existsSync(source)) continue
    rmSync(file)
    rmSync(`${file}.map`, { force: true })
  }
}
