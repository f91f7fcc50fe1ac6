import { expect, type BrowserContext, type Locator, type Page } from '@playwright/test'

/** Connections that a page has opened, whatever opened them: kept by wrapping the browser's constructors. */
interface OpenedConnections {
  readonly sockets: WebSocket[]
  readonly peers: RTCPeerConnection[]
}
declare global {
  interface Window {
    opened: OpenedConnections
  }
}

/** Opens a page of the demo; every WebSocket and RTCPeerConnection it makes is kept in `window.opened`. */
export async function openWindow(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage()
  page.on('pageerror', (error) => {
    throw error
  })
  await page.addInitScript(() => {
    const opened: OpenedConnections = { sockets: [], peers: [] }
    window.opened = opened
    window.WebSocket = class extends WebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols)
        opened.sockets.push(this)
      }
    }
    window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(configuration?: RTCConfiguration) {
        super(configuration)
        opened.peers.push(this)
      }
    }
  })
  await page.goto(url)
  await expect(editor(page)).toBeVisible()
  return page
}

/** The shared text. */
export const editor = (page: Page): Locator => page.getByRole('textbox', { name: 'Shared notes' })

/** What the editor shows, as text. */
export const textOf = (page: Page): Promise<string> =>
  editor(page).evaluate((element) =>
    [...element.querySelectorAll('.cm-line')].map((line) => line.textContent).join('\n'),
  )

/** Whether a tab leads or follows. */
export const role = (page: Page): Promise<string | null> =>
  page.locator('.peer').first().locator('.badge').textContent()

/** Types at the start or the end of the text. */
export async function typeAt(page: Page, place: 'start' | 'end', text: string): Promise<void> {
  await editor(page).press(place === 'start' ? 'Control+Home' : 'Control+End')
  await editor(page).pressSequentially(text)
}

/** Adds a task. */
export async function addTask(page: Page, title: string): Promise<void> {
  await page.getByRole('textbox', { name: 'New task' }).fill(title)
  await page.keyboard.press('Enter')
}

/** A task on the board. */
export const task = (page: Page, title: string): Locator =>
  page.locator('#board li').filter({ hasText: title })

/** Paths of the peers that the page shows. */
export const paths = (page: Page): Promise<string[]> =>
  page
    .locator('.peer [data-path]')
    .evaluateAll((badges) =>
      badges
        .map((badge) => (badge as HTMLElement).dataset['path']!)
        .filter((path) => path !== 'here'),
    )

/** Connections that the browser itself has open, whatever the page says. */
export const openConnections = (page: Page): Promise<{ sockets: number; peers: number }> =>
  page.evaluate(() => ({
    sockets: window.opened.sockets.filter(({ readyState }) => readyState === WebSocket.OPEN).length,
    peers: window.opened.peers.filter(({ connectionState }) => connectionState === 'connected')
      .length,
  }))

/** Connections that are not closed: open ones, and attempts to open some. */
export const connectionsAtAll = (page: Page): Promise<number> =>
  page.evaluate(
    () =>
      window.opened.sockets.filter(({ readyState }) => readyState !== WebSocket.CLOSED).length +
      window.opened.peers.filter(({ connectionState }) => connectionState !== 'closed').length,
  )

/** Turns the network of a window on or off. */
export const setNetwork = (page: Page, on: boolean): Promise<void> =>
  page.getByRole('switch', { name: 'Network' }).setChecked(on)

/** Pastes text at the end. */
export async function paste(page: Page, text: string): Promise<void> {
  await editor(page).press('Control+End')
  await editor(page).evaluate((element, pasted) => {
    const clipboardData = new DataTransfer()
    clipboardData.setData('text/plain', pasted)
    const init = { clipboardData, bubbles: true, cancelable: true }
    element.dispatchEvent(new ClipboardEvent('paste', init))
  }, text)
}

/** All of the text, of which the editor draws only what can be seen. */
export async function wholeText(page: Page): Promise<string> {
  await editor(page).press('Control+a')
  return editor(page).evaluate((element) => {
    const clipboardData = new DataTransfer()
    element.dispatchEvent(
      new ClipboardEvent('copy', { clipboardData, bubbles: true, cancelable: true }),
    )
    return clipboardData.getData('text/plain')
  })
}
