// npm run corrupt -- [--flips 2000] [--truncations 200] [--deletions 200] [--seed 1] [--large] [--without-checksums] [--without-counts]: damages the store of a real device, and asks it for everything.
// A wrong answer, and none, fails the command. With --without-checksums the product compares no checksum, with --without-counts it counts no records, and a wrong answer must be found; it ends there.
// With --large the store is treated like one that is too large for SQLite to check it as a whole when it is opened.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { readArguments } from './arguments.ts'
import { mulberry } from './mulberry.ts'
import { plantChanges } from './sim/plant.ts'
import type { Change } from './sim/sabotage.ts'

const CHECKS = 'crdt-store/src/storage/checked-store.ts'
const CHECKSUMS: readonly Change[] = [
  {
    file: CHECKS,
    find: 'checksum(value, ofKey)) throw',
    replace: 'checksum(value, ofKey) && false) throw',
  },
  {
    file: CHECKS,
    find: 'if (readSum(value, 0) !== sum) throw',
    replace: 'if (readSum(value, 0) !== sum && false) throw',
  },
]
const WHOLE: Change = {
  file: 'node/src/storage/sqlite-database.ts',
  find: 'if (statSync(path).size > CHECKED_BYTES) return',
  replace: 'if (statSync(path).size >= 0) return',
}
const COUNTS: readonly Change[] = [
  {
    file: 'crdt-store/src/entities/tally.ts',
    find: 'if (found !== expected || sessions !== folded) {',
    replace: 'if (false) {',
  },
]

const USAGE = `usage: npm run corrupt -- [--flips 2000] [--truncations 200] [--deletions 200] [--seed 1]
    [--large]              treat the store like one that is too large to be checked as a whole when it is opened
    [--without-checksums]  compare no checksum; a wrong answer must be found
    [--without-counts]     count no records; a wrong answer must be found`

const { values } = await readArguments(USAGE, {
  options: {
    flips: { type: 'string', default: '2000' },
    truncations: { type: 'string', default: '200' },
    deletions: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    large: { type: 'boolean', default: false },
    'without-checksums': { type: 'boolean', default: false },
    'without-counts': { type: 'boolean', default: false },
  },
})
const [flips, truncations, deletions, seed] = (
  ['flips', 'truncations', 'deletions', 'seed'] as const
).map((name) => {
  const value = Number(values[name])
  if (Number.isSafeInteger(value) && value >= 0) return value
  console.error(`--${name} is a whole number`)
  process.exit(2)
}) as [number, number, number, number]
const without = (['checksums', 'counts'] as const).filter((each) => values[`without-${each}`])
const blind = without.length > 0
const changes = [
  ...(values.large ? [WHOLE] : []),
  ...without.flatMap((each) => (each === 'counts' ? COUNTS : CHECKSUMS)),
]
const planted = changes.length > 0 ? plantChanges('damage', changes) : undefined
// Loaded after planting.
const { runCampaign } = await import('./corrupt/campaign.ts')
const folder = mkdtempSync(join(tmpdir(), 'peerplane-corrupt-'))
try {
  const report = await runCampaign({
    folder,
    flips,
    truncations,
    deletions,
    random: mulberry(seed),
    untilWrong: blind,
    wrong: ({ what, of }, { as, because }) => console.error(`${as}: ${what} (${of}): ${because}`),
  })
  planted?.assertUsed()
  const command = `npm run corrupt -- ${process.argv.slice(2).join(' ')}`.trim()
  console.log(JSON.stringify({ command, seed, flips, truncations, deletions, ...report }, null, 2))
  const { wrong = 0, failed = 0 } = report.verdicts
  if (blind)
    console.error(
      `without ${without.join(' and ')}: ${wrong > 0 ? 'a' : 'no'} wrong answer; there must be one`,
    )
  else console.error(`${wrong} wrong answers, ${failed} failures; there must be none`)
  process.exitCode = (blind ? wrong > 0 : wrong + failed === 0) ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
