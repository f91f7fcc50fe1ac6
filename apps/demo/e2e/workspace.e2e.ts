import { expect, test, type Browser } from '@playwright/test'

import { daemonForEach } from './support/each-test.ts'
import {
  addTask,
  connectionsAtAll,
  editor,
  openConnections,
  openWindow,
  paths,
  setNetwork,
  task,
  textOf,
  typeAt,
} from './support/window.ts'

const daemon = daemonForEach()

const twoDevices = async (browser: Browser) => {
  const ada = await openWindow(await browser.newContext(), daemon.link)
  const bob = await openWindow(await browser.newContext(), daemon.link)
  await expect.poll(() => paths(ada)).toContain('webrtc')
  await expect.poll(() => paths(bob)).toContain('webrtc')
  return { ada, bob }
}

test('two browsers edit at once, lose the anchor, and go on over WebRTC', async ({ browser }) => {
  const { ada, bob } = await twoDevices(browser)

  await typeAt(ada, 'end', 'Hello from Ada.')
  await expect.poll(() => textOf(bob)).toBe('Hello from Ada.')

  await Promise.all([typeAt(ada, 'start', 'First! '), typeAt(bob, 'end', ' And Bob.')])
  await expect.poll(() => textOf(ada)).toBe('First! Hello from Ada. And Bob.')
  await expect.poll(() => textOf(bob)).toBe('First! Hello from Ada. And Bob.')

  await addTask(ada, 'Buy milk')
  await task(bob, 'Buy milk').getByRole('button', { name: 'Move to Done' }).click()
  await expect(ada.locator('ul[data-column=done]')).toContainText('Buy milk')

  await daemon.kill()
  for (const page of [ada, bob]) {
    await expect.poll(() => paths(page)).toEqual(['webrtc'])
    await expect(page.locator('.connections')).toHaveText('Open connections: WebRTC')
    await expect.poll(() => openConnections(page)).toEqual({ sockets: 0, peers: 1 })
  }
  await typeAt(bob, 'end', ' Still here.')
  await expect.poll(() => textOf(ada)).toBe('First! Hello from Ada. And Bob. Still here.')
})

test('edits made without any connection are there after coming back', async ({ browser }) => {
  const { ada, bob } = await twoDevices(browser)
  await typeAt(ada, 'end', 'shared')
  await expect.poll(() => textOf(bob)).toBe('shared')

  await setNetwork(ada, false)
  await expect(ada.locator('#summary')).toHaveText('Off the network: changes are kept here')
  await expect.poll(() => connectionsAtAll(ada)).toBe(0)
  await expect(ada.locator('.connections')).toHaveText('No open connection.')

  await typeAt(ada, 'end', ' offline')
  await addTask(ada, 'Written on a train')
  await typeAt(bob, 'start', 'online ')
  await expect.poll(() => textOf(ada)).toBe('shared offline')
  await expect.poll(() => textOf(bob)).toBe('online shared')
  expect(await connectionsAtAll(ada)).toBe(0)

  await setNetwork(ada, true)
  for (const page of [ada, bob]) {
    await expect.poll(() => textOf(page)).toBe('online shared offline')
    await expect(task(page, 'Written on a train')).toBeVisible()
  }
})

test('a reloaded page shows its state before there is any network', async ({ browser }) => {
  const context = await browser.newContext()
  const page = await openWindow(context, daemon.link)
  await typeAt(page, 'end', 'Kept in this browser')
  await addTask(page, 'Kept too')
  await expect(task(page, 'Kept too')).toBeVisible()
  await expect(page.locator('.peer').first()).toContainText('all stored on disk')
  await setNetwork(page, false)

  // The page's files still come from the daemon; every WebSocket is refused.
  await page.routeWebSocket(/.*/, (socket) => void socket.close())
  await page.reload()
  await expect.poll(() => textOf(page)).toBe('Kept in this browser')
  await expect(task(page, 'Kept too')).toBeVisible()
  await expect(page.locator('.connections')).toHaveText('No open connection.')
})

test('an anchor restarted from its disk brings a new browser up to date', async ({ browser }) => {
  const first = await browser.newContext()
  const ada = await openWindow(first, daemon.link)
  await typeAt(ada, 'end', 'Only the anchor remembers')
  await addTask(ada, 'Remember me')
  await expect(ada.locator('.peer[data-kind=anchor]')).toContainText('lacks nothing')
  await first.close()

  await daemon.kill()
  await daemon.start()
  const carol = await openWindow(await browser.newContext(), daemon.link)
  await expect.poll(() => textOf(carol)).toBe('Only the anchor remembers')
  await expect(task(carol, 'Remember me')).toBeVisible()
})

test('two tabs of one browser edit together; when the leading tab is closed, the other goes on', async ({
  browser,
}) => {
  const context = await browser.newContext()
  const leader = await openWindow(context, daemon.link)
  const follower = await openWindow(context, daemon.link)
  await expect(leader.locator('.peer').first()).toContainText('Leads')
  await expect(follower.locator('.peer').first()).toContainText('Follows')
  expect(await connectionsAtAll(follower)).toBe(0)

  await typeAt(leader, 'end', 'one')
  await expect.poll(() => textOf(follower)).toBe('one')
  await Promise.all([typeAt(leader, 'start', 'zero '), typeAt(follower, 'end', ' two')])
  await expect.poll(() => textOf(leader)).toBe('zero one two')
  await expect.poll(() => textOf(follower)).toBe('zero one two')

  await leader.close()
  await expect(follower.locator('.peer').first()).toContainText('Leads')
  await typeAt(follower, 'end', ' three')
  await addTask(follower, 'After the take-over')
  await expect(follower.locator('.peer[data-kind=anchor]')).toContainText('lacks nothing')

  const other = await openWindow(await browser.newContext(), daemon.link)
  await expect.poll(() => textOf(other)).toBe('zero one two three')
  await expect(task(other, 'After the take-over')).toBeVisible()
})

test('a page that gets a wrong invitation says that the invitation is wrong and offers a way to continue', async ({
  page,
}) => {
  const { origin } = new URL(daemon.link)
  await page.goto(`${origin}/#join=pp1.AAAA`)
  await expect(page.getByRole('alert')).toContainText('Copy the whole invitation link again')
  await page.getByRole('link', { name: 'Open your own workspace instead' }).click()
  await expect(editor(page)).toBeVisible()
})
