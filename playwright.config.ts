import { availableParallelism } from 'node:os'

import { defineConfig } from '@playwright/test'

import { launchOptions } from './scripts/chromium.mjs'

export default defineConfig({
  testDir: 'apps/demo/e2e',
  testMatch: '**/*.e2e.ts',
  // Each test has an anchor and ports of its own.
  fullyParallel: true,
  workers: Math.max(2, availableParallelism() - 1),
  retries: 0,
  forbidOnly: true,
  timeout: 120_000,
  // A loaded machine may take its time; a test that fails waits this long only once.
  expect: { timeout: 20_000 },
  reporter: [['list']],
  use: {
    browserName: 'chromium',
    launchOptions: launchOptions(),
    trace: 'retain-on-failure',
  },
})
