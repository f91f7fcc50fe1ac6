// npm run api: writes docs/api, a page for each entry point of each package. With --check it compares them and fails where they differ.
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { apiReports } from './packages/api-report.ts'
import { buildPackages } from './packages/build.ts'

const FOLDER = join('docs', 'api')

buildPackages()

const reports = apiReports()
const gone = globSync(join(FOLDER, '*.md')).filter((path) => reports.every((r) => r.path !== path))
if (process.argv.includes('--check')) {
  const stale = reports.filter(({ path, text }) => read(path) !== text).map(({ path }) => path)
  for (const path of [...stale, ...gone]) {
    console.error(`${path} is not what the package shows. If the change is meant: npm run api`)
  }
  console.log(`${reports.length} entry points, ${stale.length + gone.length} differ`)
  if (stale.length + gone.length > 0) process.exitCode = 1
} else {
  mkdirSync(FOLDER, { recursive: true })
  for (const path of gone) rmSync(path)
  for (const { path, text } of reports) writeFileSync(path, text)
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
