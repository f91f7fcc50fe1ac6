import { createReadStream, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'

import { chromium, type Browser } from 'playwright'

import { launchOptions } from '../chromium.mjs'

/** A built page, and all that its console has to show. */
export interface BuiltPage {
  readonly title: string
  /** Has an `index.html`. */
  readonly folder: string
  readonly prints: string
}

/** How long a page may take, on a busy machine, until its console shows what it has to. */
const LIMIT_MS = 60_000

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.wasm': 'application/wasm',
}

/** Opens pages in Chromium, each from an origin of its own; returns what is wrong with what they print. */
export async function printedByPages(pages: readonly BuiltPage[]): Promise<string[]> {
  const browser = await chromium.launch(launchOptions())
  try {
    const problems: string[] = []
    for (const page of pages) problems.push(...(await open(browser, page)))
    return problems
  } finally {
    await browser.close()
  }
}

async function open(browser: Browser, { title, folder, prints }: BuiltPage): Promise<string[]> {
  const server = await serve(folder)
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    const lines: string[] = []
    const done = new Promise<void>((resolve) => {
      const add = (line: string): void => {
        lines.push(line)
        if (lines.join('\n').length >= prints.length) resolve()
      }
      page.on('console', (message) => add(message.text()))
      page.on('pageerror', (error) => add(`uncaught: ${error.message}`))
      setTimeout(resolve, LIMIT_MS).unref()
    })
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`)
    await done
    const printed = lines.join('\n')
    return printed === prints ? [] : [`${title}: wrong output:\n${printed}`]
  } finally {
    await context.close()
    server.close()
  }
}

function serve(folder: string): Promise<Server> {
  const server = createServer(({ url = '/' }, response) => {
    const path = normalize(new URL(url, 'http://localhost').pathname)
    const file = join(folder, path === '/' ? 'index.html' : path)
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
      // Browsers ask for an icon that no page names.
      response.writeHead(path === '/favicon.ico' ? 204 : 404).end()
      return
    }
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'text/plain' })
    createReadStream(file).pipe(response)
  })
  return new Promise((resolve) => server.listen(0, 'localhost', () => resolve(server)))
}
