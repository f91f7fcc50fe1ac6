// Tests leave nothing behind in the checkout: they write to temporary directories.
import { readdirSync } from 'node:fs'

const root = new URL('..', import.meta.url)

/** What other commands write, which may run meanwhile. */
const ofOthers = new Set(['coverage', 'playwright-report', 'test-results'])

let before: ReadonlySet<string>

export function setup(): void {
  before = new Set(readdirSync(root))
}

/** Fails the run for files that are new. */
export function teardown(): void {
  const left = readdirSync(root).filter(
    (name) => !before.has(name) && !ofOthers.has(name) && !name.startsWith('.'),
  )
  if (left.length > 0) throw new Error(`tests wrote into the checkout: ${left.join(', ')}`)
}
