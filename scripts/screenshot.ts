// npm run screenshot: docs/demo.png, two browsers beside each other in the running demo.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

import { chromium, type Browser, type Locator, type Page } from 'playwright'

import { startDaemon } from '../apps/demo/e2e/support/daemon.ts'
import { launchOptions } from './chromium.mjs'

const FILE = 'docs/demo.png'
const WINDOW = { width: 685, height: 780 }
const WHOLE = { width: 1400, height: 800 }
const LIMIT_MS = 20_000

build('tsc', ['-b', 'packages/node', 'packages/browser'])
build('vite', ['build', '--logLevel', 'warn', 'apps/demo'])
const data = mkdtempSync(join(tmpdir(), 'peerplane-screenshot-'))
const daemon = await startDaemon(data, { port: 0, httpPort: 0 })
const browser = await chromium.launch(launchOptions())
try {
  await take(browser, daemon.link)
} finally {
  await browser.close()
  await daemon.kill()
  rmSync(data, { recursive: true, force: true })
}
console.log(`${FILE}: ${Math.ceil(statSync(FILE).size / 1024)} KiB`)

async function take(browser: Browser, link: string): Promise<void> {
  const ada = await window(browser, link, 'light')
  await ada.getByRole('button', { name: 'Invite a device' }).click()
  const invitation = await ada.getByLabel('Invitation link').inputValue()
  await ada.getByRole('button', { name: 'Close', exact: true }).click()
  const bob = await window(browser, invitation, 'dark')
  for (const page of [ada, bob]) await page.locator('[data-path=webrtc]').waitFor()

  await write(
    ada,
    'Trip to the coast\n\nTrain at 9:12, platform 4. If you are late, take the bus.\n',
  )
  await shows(bob, 'the bus.')
  await write(bob, '\nI bring the map: it works without signal, too.\n')
  await shows(ada, 'signal, too.')
  await write(ada, 'And I bring coffee for everybody.')
  await shows(bob, 'everybody.')
  await addTask(ada, 'Book the train', 'Done')
  await addTask(bob, 'Find a place to stay', 'Doing')
  await addTask(ada, 'Pack the tent', 'Doing')
  await addTask(bob, 'Water the plants')
  await addTask(ada, 'Charge the camera')
  for (const page of [ada, bob]) {
    await until(async () => (await page.locator('#board li').count()) === 5)
    await page.locator('#summary', { hasText: 'In step with 2 devices' }).waitFor()
    await notes(page).press('Control+End')
    await page.mouse.move(0, 0)
  }
  await compose(browser, [await ada.screenshot(), await bob.screenshot()])
}

/** A window of a browser of its own: nothing is shared with another one. */
async function window(browser: Browser, url: string, colorScheme: 'light' | 'dark'): Promise<Page> {
  const context = await browser.newContext({ viewport: WINDOW, colorScheme })
  context.setDefaultTimeout(LIMIT_MS)
  const page = await context.newPage()
  await page.goto(url)
  await notes(page).waitFor()
  return page
}

function notes(page: Page): Locator {
  return page.getByRole('textbox', { name: 'Shared notes' })
}

async function write(page: Page, text: string): Promise<void> {
  await notes(page).press('Control+End')
  await notes(page).pressSequentially(text)
}

async function shows(page: Page, text: string): Promise<void> {
  await until(async () => (await notes(page).innerText()).includes(text))
}

async function addTask(page: Page, title: string, column?: string): Promise<void> {
  await page.getByRole('textbox', { name: 'New task' }).fill(title)
  await page.keyboard.press('Enter')
  const task = page.locator('#board li', { hasText: title })
  await task.waitFor()
  if (column) await task.getByRole('button', { name: `Move to ${column}` }).click()
}

/** Both pictures on one page, in one picture. */
async function compose(browser: Browser, pictures: readonly Buffer[]): Promise<void> {
  const page = await browser.newPage({ viewport: WHOLE })
  const images = pictures.map(
    (picture) => `<img src="data:image/png;base64,${picture.toString('base64')}">`,
  )
  await page.setContent(`<style>
    body { margin: 0; height: 100vh; display: flex; gap: 10px; place-content: center; align-items: center; background: #c9d1dd }
    img { border-radius: 10px }
  </style>${images.join('')}`)
  await page.screenshot({ path: FILE })
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + LIMIT_MS
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`did not happen within ${LIMIT_MS} ms: ${String(holds)}`)
    await wait(50)
  }
}

function build(command: string, args: string[]): void {
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  if (status !== 0) throw new Error(`${command} failed`)
}
