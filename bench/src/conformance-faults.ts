// npm run conformance-faults [-- NAME ...] [--workers 2] [--all-rules]: plants faults in daemons, one each; the command must name the rule that each breaks.
import { readArguments } from './arguments.ts'
import { faults, type Fault } from './conformance/faults.ts'
import { brokenBy } from './conformance/world.ts'

const USAGE = `usage: npm run conformance-faults [-- NAME ...] [--workers 2]
       [--all-rules]   run all checks on each daemon, and not only those that judge the rule

${faults.map(({ name, what }) => `  ${name.padEnd(24)} ${what}`).join('\n')}`

const { values, positionals } = await readArguments(USAGE, {
  options: {
    workers: { type: 'string', default: '2' },
    'all-rules': { type: 'boolean', default: false },
  },
  allowPositionals: true,
})
const chosen = faults.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
const workers = Number(values.workers)

if (chosen.length < Math.max(1, positionals.length) || !(workers >= 1)) {
  console.error(USAGE)
  process.exitCode = 2
} else process.exitCode = await campaign(chosen)

async function campaign(all: readonly Fault[]): Promise<number> {
  console.log('| planted fault | rule | named as broken |\n| --- | --- | --- |')
  const left = [...all]
  let missed = 0
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next; next = left.shift()) {
      if (!(await isNamed(next))) missed++
    }
  }
  await Promise.all(Array.from({ length: workers }, work))
  console.log(`\n${all.length - missed} of ${all.length} faults are named by their rule`)
  return missed === 0 ? 0 : 1
}

async function isNamed({ name, what, rule }: Fault): Promise<boolean> {
  const broken = await brokenBy(name, values['all-rules'] ? undefined : rule).catch(
    (error: Error) => error,
  )
  const named =
    broken instanceof Error
      ? `**${broken.message.trim()}**`
      : broken.map((each) => each.rule).join(', ')
  console.log(`| ${what} (\`${name}\`) | ${rule} | ${named || '**none**'} |`)
  return !(broken instanceof Error) && broken.some((each) => each.rule === rule)
}
