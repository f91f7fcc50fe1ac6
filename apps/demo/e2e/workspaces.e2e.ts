import { expect, test, type Page } from '@playwright/test'

import { daemonForEach } from './support/each-test.ts'
import { editor, openWindow, textOf, typeAt } from './support/window.ts'

const daemon = daemonForEach()
const origin = (): string => new URL(daemon.link).origin

const listed = (page: Page, name: string) => page.locator(`li[data-workspace="${name}"]`)

async function showWorkspaces(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Workspaces', exact: true }).click()
  await expect(page.getByRole('dialog')).toContainText('Workspaces in this browser')
}

async function join(page: Page): Promise<void> {
  // Only the fragment may differ from where the page is.
  await page.goto('about:blank')
  await page.goto(daemon.link)
  await expect(editor(page)).toBeVisible()
  await expect(page.getByRole('alert')).toBeHidden()
}

test('a page that is opened without an invitation stores nothing, and later accepts an invitation', async ({
  browser,
}) => {
  const page = await openWindow(await browser.newContext(), origin())
  await showWorkspaces(page)
  await expect(page.getByRole('dialog')).toContainText('Nothing is stored yet')
  await join(page)
  await expect(page.locator('.peer[data-kind=anchor]')).toBeVisible()
  await showWorkspaces(page)
  await expect(listed(page, 'workspace')).toContainText('Other devices may have it')
})

test('workspaces of a browser are listed, opened and erased', async ({ browser }) => {
  const context = await browser.newContext()
  const page = await openWindow(context, daemon.link)
  await typeAt(page, 'end', 'with others')
  await expect(page.locator('.peer[data-kind=anchor]')).toContainText('lacks nothing')
  const other = await openWindow(context, `${origin()}/?workspace=mine`)
  await typeAt(other, 'end', 'alone')
  await expect(other.locator('.peer').first()).toContainText('all stored on disk')

  await showWorkspaces(page)
  await expect(listed(page, 'workspace')).toContainText('this page')
  await expect(listed(page, 'mine')).toContainText('Only this browser has it')
  await page.getByRole('button', { name: 'Erase mine' }).click()
  await expect(listed(page, 'mine')).toContainText('gone for good')
  await page.getByRole('button', { name: 'Keep it' }).click()
  await listed(page, 'mine').getByRole('link', { name: 'Open' }).click()
  await expect.poll(() => textOf(page)).toBe('alone')

  await showWorkspaces(page)
  await listed(page, 'workspace').getByRole('link', { name: 'Open' }).click()
  await expect.poll(() => textOf(page)).toBe('with others')
  await showWorkspaces(page)
  await page.getByRole('button', { name: 'Erase mine' }).click()
  await listed(page, 'mine').getByRole('button', { name: 'Erase it' }).click()
  await expect(listed(page, 'mine')).toBeHidden()
  await expect(other.getByRole('alert')).toContainText('erased in this browser')

  await page.getByRole('button', { name: 'Erase workspace' }).click()
  await listed(page, 'workspace').getByRole('button', { name: 'Erase it' }).click()
  await expect(page.getByRole('dialog')).toBeHidden()
  await expect(editor(page)).toContainText('Write here.')
  await join(page)
  await expect.poll(() => textOf(page)).toBe('with others')
})

test('a page without a part of its storage says what is missing and how to continue, and a new invitation restores everything', async ({
  browser,
}) => {
  const page = await openWindow(await browser.newContext(), daemon.link)
  await typeAt(page, 'end', 'with others')
  await expect(page.locator('.peer[data-kind=anchor]')).toContainText('lacks nothing')
  await page.goto(`${origin()}/icon.svg`)
  await page.evaluate(async () => {
    const opening = indexedDB.open('peerplane:workspace')
    await new Promise((resolve) => (opening.onsuccess = resolve))
    const transaction = opening.result.transaction('keys', 'readwrite')
    transaction.objectStore('keys').clear()
    await new Promise((resolve) => (transaction.oncomplete = resolve))
    opening.result.close()
  })
  await page.goto(origin())
  await expect(page.getByRole('alert')).toContainText('Open the space with a new invitation')
  await page.getByRole('button', { name: 'Show the workspaces in this browser' }).click()
  await expect(listed(page, 'workspace')).toContainText('The key of this device is gone')
  await join(page)
  await expect.poll(() => textOf(page)).toBe('with others')
  await typeAt(page, 'end', ' again')
  await expect(page.locator('.peer[data-kind=anchor]')).toContainText('lacks nothing')
})
