// npm run attack -- all | NAME ... | churn [--seed 1] [--scale 1] [--seconds N]: real processes attack a real daemon while honest members work.
import { readArguments } from './arguments.ts'
import type { Attack } from './attack/attack.ts'
import { attacks } from './attack/attacks.ts'
import { slowness } from './attack/bounds.ts'
import { calm } from './attack/calm.ts'
import { churn } from './attack/churn.ts'
import { known } from './attack/known.ts'
import { drive, type Extent } from './attack/drive.ts'
import type { Measured } from './attack/measured.ts'
import { churnTable, jsonLine, summary, table } from './attack/report.ts'
import { judge, type Verdict } from './attack/verdict.ts'
import { startWorld } from './attack/world.ts'

const USAGE = `usage: npm run attack -- all | NAME ... [--seed 1] [--scale 1] [--seconds 20]
       npm run attack -- churn [--seconds 600]

${[
  ...attacks.map(({ name, about }) => [name, about]),
  ['churn', 'members connect and leave over and over; the daemon must not grow'],
]
  .map(([name = '', about]) => `  ${name.padEnd(18)} ${about}`)
  .join('\n')}`

const { values, positionals: names } = await readArguments(USAGE, {
  options: {
    seed: { type: 'string', default: '1' },
    scale: { type: 'string', default: '1' },
    seconds: { type: 'string' },
  },
  allowPositionals: true,
})

const accepted = ['all', 'churn', ...attacks.map(({ name }) => name)]
if (names.length === 0 || !names.every((name) => accepted.includes(name))) refuse()
else if (names.includes('churn')) process.exitCode = await soak(Number(values.seconds ?? 600))
else process.exitCode = await attackAll(names, Number(values.seconds ?? 20))

function refuse(): void {
  console.error(USAGE)
  process.exitCode = 2
}

async function attackAll(wanted: readonly string[], seconds: number): Promise<number> {
  const extent: Extent = {
    before: seconds / 2,
    during: seconds,
    after: seconds / 2,
    scale: Number(values.scale),
    seed: Number(values.seed),
  }
  const byItself = await attackOnce(calm, extent)
  const results: Record<string, Verdict['result']> = {}
  for (const attack of attacks) {
    if (attack === calm || !(wanted.includes('all') || wanted.includes(attack.name))) continue
    results[attack.name] = await report(attack, extent, byItself.measured)
  }
  console.log(`\n${summary(results)}`)
  return Object.values(results).includes('broken') ? 1 : 0
}

async function report(
  attack: Attack,
  extent: Extent,
  byItself: Measured,
): Promise<Verdict['result']> {
  const { measured, losses } = await attackOnce(attack, extent)
  const verdict = judge(attack, measured, losses)
  const slow = slowness(measured.before)
  console.log(`\n${attack.name}: ${attack.about} (${attack.by})\n${table(measured, byItself)}`)
  console.log(`  done: ${JSON.stringify(measured.done[attack.name])}`)
  console.log(`  all as before after ${(measured.recovery / 1_000).toFixed(1)} s`)
  if (slow > 1) console.log(`  this machine is busy: times may be ${slow.toFixed(1)} times as long`)
  for (const each of verdict.broken) console.log(`  ${each}`)
  const { because } = known[attack.name] ?? {}
  if (because) console.log(`  the current protocol does not hold this attack: ${because}`)
  if (verdict.result === 'better') console.log('  it holds here, although it is listed as not held')
  console.log(`${attack.name}: ${verdict.result}`)
  console.log(jsonLine(attack, measured, verdict))
  return verdict.result
}

/** In a world of its own. */
async function attackOnce(
  attack: Attack,
  extent: Extent,
): Promise<{ measured: Measured; losses: string[] }> {
  const world = await startWorld()
  try {
    const measured = await drive(world, attack, extent)
    return { measured, losses: world.losses() }
  } finally {
    await world.end()
  }
}

async function soak(seconds: number): Promise<number> {
  const result = await churn(seconds)
  console.log(churnTable(result))
  for (const each of result.broken) console.log(`  ${each}`)
  console.log(JSON.stringify(result))
  return result.broken.length === 0 ? 0 : 1
}
