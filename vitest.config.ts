import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'

import { launchOptions } from './scripts/chromium.mjs'
import { LongestFirst } from './scripts/longest-first.ts'

// Workers, and the many processes that tests start, load what an earlier one has compiled.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(
  new URL('node_modules/.cache/compiled', import.meta.url),
)

// Packages resolve to their sources, so tests need no build.
const conditions = ['@peerplane/source']

export default defineConfig({
  test: {
    passWithNoTests: false,
    // A loaded machine may take its time; what never ends still ends.
    testTimeout: 60_000 * Number(process.env['PROP_TIMES'] ?? 1),
    hookTimeout: 60_000,
    // Many tests wait for sockets, processes and browsers: one worker alone would leave a core idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    sequence: { sequencer: LongestFirst },
    globalSetup: ['scripts/no-litter.ts'],
    projects: [
      {
        resolve: { conditions },
        ssr: { resolve: { conditions: [...conditions, 'node', 'module'] } },
        test: {
          name: 'node',
          setupFiles: ['scripts/property-seed.ts'],
          environment: 'node',
          include: [
            'packages/*/src/**/*.test.ts',
            '{apps/demo/src,bench,examples,scripts}/**/*.test.ts',
          ],
          // A fixture is shared by tests and contains no test: named like a test, it is never mistaken for a part of the product.
          exclude: [
            '**/*.browser.test.ts',
            '**/*.fixture.test.ts',
            '**/node_modules/**',
            '**/dist/**',
          ],
        },
      },
      {
        resolve: { conditions: [...conditions, 'browser', 'import', 'module', 'default'] },
        // Bundling it ahead would part it from its WASM file.
        optimizeDeps: { exclude: ['@automerge/automerge'] },
        test: {
          name: 'browser',
          setupFiles: ['scripts/property-seed.ts'],
          include: ['packages/*/src/**/*.browser.test.ts', 'examples/**/*.browser.test.ts'],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: launchOptions() }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
})
