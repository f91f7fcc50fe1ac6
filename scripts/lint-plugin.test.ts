import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

import { afterAll, expect, test } from 'vitest'

const place = mkdtempSync(join(tmpdir(), 'lint-'))
afterAll(() => rmSync(place, { recursive: true }))

/** Lines of a program that a house rule finds fault with. */
function faults(rule: string, program: string): number[] {
  const config = join(place, 'config.json')
  const file = join(place, 'program.ts')
  writeFileSync(file, program)
  writeFileSync(
    config,
    JSON.stringify({
      jsPlugins: [resolve('scripts/lint-plugin.mjs')],
      categories: { correctness: 'off' },
      rules: { [`house/${rule}`]: 'error' },
    }),
  )
  const { stdout } = spawnSync('oxlint', ['-c', config, '--format', 'json', file], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${resolve('node_modules/.bin')}:${process.env['PATH']}` },
  })
  const { diagnostics } = JSON.parse(stdout) as {
    readonly diagnostics: readonly {
      readonly labels: readonly { readonly span: { readonly line: number } }[]
    }[]
  }
  return diagnostics.map(({ labels }) => labels[0]!.span.line).toSorted((a, b) => a - b)
}

test('an error that nobody looks at needs a reason beside it', () => {
  const program = `declare const work: Promise<number>
work.catch(() => undefined)
// It does not matter.
work.catch(() => {})
work.then(use, () => 0)
// Ignored:
work.catch(function () {})
try { use() } catch {
  // Never mind.
}
// Ignored: it is awaited below.
work.catch(() => undefined)
const all = work
  // Ignored: the caller has it,
  // and goes on.
  .catch(() => undefined)
try { use() } catch {
  // Ignored: the answer is that it cannot.
}
try { use() } catch {
  throw new RangeError('no')
}
work.catch((error: unknown) => use(error))
work.then(use, use)
try { use() } catch (error) { use(error) }
declare function use(given?: unknown): void
export { all }
`
  expect(faults('no-silent-catch', program)).toEqual([2, 4, 5, 7, 8])
})

test('a trace that costs something where nobody listens is found', () => {
  const program = `declare const trace: ((name: string, fields: object) => void) | undefined
declare const ports: { readonly trace: typeof trace }
const made = { link: 'x' }
if (trace) trace('link.opened', {})
ports.trace!('link.opened', {})
trace?.('link.opened', made)
trace?.('link.opened', { link: 'x' })
ports.trace?.('link.opened', { ...made })
`
  expect(faults('free-trace', program)).toEqual([4, 5, 6])
})

test('a method that ends its object and is called neither close nor stop is found', () => {
  const program = `interface Watching {
  stop(): void
  detach(): void
  readonly end: () => void
  readonly shutdown?: number
}
class Connection {
  close(): void {}
  async destroy(): Promise<void> {}
  dispose = () => undefined
  #end(): void {}
  use(): void {
    this.#end()
    socket.destroy()
  }
}
const made = {
  end: 7,
  stop: () => undefined,
  teardown: () => undefined,
  drain() {},
}
declare const socket: { readonly id: string }
`
  expect(faults('one-ending', program)).toEqual([3, 4, 9, 10, 20, 21])
})
