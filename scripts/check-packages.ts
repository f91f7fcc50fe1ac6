// Every package as it is packed must hold what its manifest promises, with types that resolve as its code does.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { type Packed, withPacked } from './packages/pack.ts'

const execute = promisify(execFile)

await withPacked(async (packed) => {
  const problems: string[] = []
  // Two at once: a check is one process that computes.
  const rest = [...packed]
  const worker = async (): Promise<void> => {
    for (let next = rest.shift(); next; next = rest.shift()) problems.push(...(await check(next)))
  }
  await Promise.all([worker(), worker()])
  for (const problem of problems) console.error(problem)
  console.log(`${packed.length} packages as packed, ${problems.length} of their checks failed`)
  if (problems.length > 0) process.exitCode = 1
})

/** What is wrong with one tarball. */
async function check({ folder, tarball }: Packed): Promise<string[]> {
  const checks = [
    ['publint', 'run', '--strict', tarball],
    // The packages are ES modules; `require` of them is nobody's business.
    ['attw', '--profile', 'esm-only', '--format', 'ascii', '--no-emoji', tarball],
    // A test file would take its doubles along.
    ['sh', '-c', `! tar -tzf '${tarball}' | grep '[.]test[.]'`],
  ]
  const problems: string[] = []
  for (const [command = '', ...args] of checks) {
    try {
      await execute(command, args)
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
      problems.push(`packages/${folder}: ${command} says\n${stdout}${stderr}`)
    }
  }
  return problems
}
