import { defineConfig } from '@playwright/test'

import { launchOptions } from './scripts/chromium.mjs'

export default defineConfig({
  testDir: 'apps/demo/e2e',
  testMatch: '**/*.e2e.ts',
  workers: 1,
  retries: 0,
  forbidOnly: true,
  timeout: 60_000,
  reporter: [['list']],
  use: {
    browserName: 'chromium',
    launchOptions: launchOptions(),
    trace: 'retain-on-failure',
  },
})
