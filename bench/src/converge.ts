// npm run converge -- [--cases 1000000] [--seed 1] [--chunk 10000] [--workers N] [--file TEXT] [--only TEXT]: runs the property tests of all kernels with far more cases than npm test.
// It takes chunks of cases in turn for all of them, each chunk with the next seed, and when it is stopped it says how to go on.
import { execFile, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { readArguments } from './arguments.ts'

const USAGE = `usage: npm run converge -- [--cases 1000000] [--seed 1] [--chunk 10000] [--workers ${availableParallelism()}]
    [--file TEXT]   only the files with this text in their path
    [--only TEXT]   only the tests with this text in their name
  runs the property tests of the kernels of all state models, except documents: each test takes that many cases`

/** Files with property tests, each with a text that the names of these tests contain. */
const SUITES: readonly { readonly file: string; readonly name: string }[] = [
  { file: 'kernels/convergence.test.ts', name: 'replicas converge' },
  { file: 'kernels/small-kinds.test.ts', name: 'small kinds of state' },
  { file: 'kernels/list/list.test.ts', name: 'lists of replicas' },
  { file: 'kernels/tree/tree.test.ts', name: 'replicas of a tree' },
  { file: 'single-writer/convergence.test.ts', name: '' },
]

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

interface Result {
  readonly fullName: string
  readonly status: 'passed' | 'failed' | 'skipped' | 'pending'
  readonly duration: number
  readonly failureMessages: readonly string[]
}
interface Work {
  readonly file: string
  readonly name: string
  readonly seed: number
}
/** What was done of one test. */
interface Tally {
  cases: number
  failed: number
  ms: number
}

const { values } = await readArguments(USAGE, {
  options: {
    cases: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    chunk: { type: 'string', default: '10000' },
    workers: { type: 'string', default: String(availableParallelism()) },
    file: { type: 'string', default: '' },
    only: { type: 'string', default: '' },
  },
})
const [cases, first, chunk, workers] = (['cases', 'seed', 'chunk', 'workers'] as const).map(
  (name) => {
    const value = Number(values[name])
    if (Number.isSafeInteger(value) && value > 0) return value
    console.error(`--${name} is a whole number above 0`)
    process.exit(2)
  },
) as [number, number, number, number]

const temporary = mkdtempSync(join(tmpdir(), 'peerplane-converge-'))
const tallies = new Map<string, Tally>()
const running = new Set<ChildProcess>()
let isStopped = false
let brokenRuns = 0

process.on('SIGINT', stop)
process.on('SIGTERM', stop)
process.exitCode = await main()

async function main(): Promise<number> {
  const size = Math.min(chunk, cases)
  const suites = SUITES.filter(({ file }) => file.includes(values.file))
  const seeds = Array.from({ length: Math.ceil(cases / size) }, (_, i) => first + i)
  const left = seeds.flatMap((seed) => suites.map((suite): Work => ({ ...suite, seed })))
  const all = left.length
  const doing = new Set<Work>()
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next && !isStopped; next = left.shift()) {
      doing.add(next)
      const results = await runOne(next, size)
      if (isStopped) return
      if (results.length === 0 && values.only === '') {
        brokenRuns++
        console.error(`${next.file} has no test that is named so`)
      }
      doing.delete(next)
      for (const each of results) count(each, size, next)
      console.log(
        `seed ${next.seed}: ${next.file}: ${summary(results)}; ${all - left.length} of ${all}`,
      )
    }
  }
  await Promise.all(Array.from({ length: Math.min(workers, all) }, work))
  rmSync(temporary, { recursive: true, force: true })
  printTable()
  if (isStopped) {
    const from = Math.min(...[...doing, ...left].map(({ seed }) => seed))
    console.log(`stopped: go on with --seed ${from} --cases ${cases - (from - first) * size}`)
  }
  const failed = [...tallies.values()].filter((each) => each.failed > 0).length
  if (tallies.size === 0) console.error('no test has such a name')
  return failed > 0 || brokenRuns > 0 || tallies.size === 0 ? 1 : 0
}

/** Runs the tests of one file with one seed. */
async function runOne({ file, name, seed }: Work, size: number): Promise<readonly Result[]> {
  const output = join(temporary, `${file.replaceAll('/', '-')}-${seed}.json`)
  const pattern = [name, values.only].filter(Boolean).map((each) => `(?=.*${literal(each)})`)
  const args = [
    join(ROOT, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--project=node',
    '--reporter=json',
    `--outputFile=${output}`,
    '--testTimeout=0',
    '--passWithNoTests',
    '--maxWorkers=1',
    `--testNamePattern=${pattern.join('') || '.'}`,
    join('packages/crdt-store/src', file),
  ]
  const env = { ...process.env, PROP_SEED: String(seed), PROP_CASES: String(size) }
  const errors = await new Promise<string>((resolve) => {
    const options = { cwd: ROOT, env, maxBuffer: 64 * 2 ** 20 }
    const child = execFile(process.execPath, args, options, (_, __, stderr) => {
      running.delete(child)
      resolve(stderr)
    })
    running.add(child)
  })
  if (isStopped) return []
  try {
    const report = JSON.parse(readFileSync(output, 'utf8')) as {
      readonly testResults: readonly { readonly assertionResults: readonly Result[] }[]
    }
    rmSync(output)
    return report.testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ status }) => status === 'passed' || status === 'failed')
  } catch {
    brokenRuns++
    console.error(`seed ${seed}: ${file} made no report:\n${errors}`)
    return []
  }
}

function count(
  { fullName, status, duration, failureMessages }: Result,
  size: number,
  { file, seed }: Work,
): void {
  const tally = tallies.get(fullName) ?? { cases: 0, failed: 0, ms: 0 }
  tallies.set(fullName, tally)
  tally.ms += duration
  if (status === 'passed') tally.cases += size
  else {
    tally.failed++
    const again = `PROP_SEED=${seed} PROP_CASES=${size} vitest run --project node packages/crdt-store/src/${file}`
    console.error(`FAILED: ${fullName}\n  again: ${again}\n${failureMessages.join('\n')}`)
  }
}

function summary(results: readonly Result[]): string {
  const failed = results.filter(({ status }) => status === 'failed').length
  return `${results.length} tests, ${failed} failed`
}

function printTable(): void {
  const rows = [...tallies].map(([name, { cases: done, failed, ms }]) =>
    [
      String(done).padStart(9),
      String(failed).padStart(6),
      (ms / 1000).toFixed(0).padStart(7),
      name,
    ].join('  '),
  )
  console.log(['    cases  failed  seconds  test', ...rows].join('\n'))
}

function stop(): void {
  isStopped = true
  for (const child of running) child.kill('SIGTERM')
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
}
