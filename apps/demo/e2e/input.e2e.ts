import { expect, test, type Browser, type Page } from '@playwright/test'

import { daemonForEach } from './support/each-test.ts'
import {
  addTask,
  editor,
  openWindow,
  paste,
  task,
  textOf,
  typeAt,
  wholeText,
} from './support/window.ts'

const daemon = daemonForEach()

const reloadAtOnce =
  (role: 'Leads' | 'Follows') =>
  async ({ browser }: { browser: Browser }): Promise<void> => {
    const context = await browser.newContext()
    if (role === 'Follows') await openWindow(context, daemon.link)
    const page = await openWindow(context, daemon.link)
    await expect(page.locator('.peer').first()).toContainText(role)
    let expected = ''
    for (let round = 0; round < 20; round++) {
      const word = `${round}: quick! `
      expected += word
      await typeAt(page, 'end', word)
      await page.reload()
      await expect.poll(() => textOf(page)).toBe(expected)
    }
  }

test('no typed character is lost by an immediate reload', reloadAtOnce('Leads'))

test(
  'every last character is there after a reload at once in a following tab',
  reloadAtOnce('Follows'),
)

test('a paste of a million characters is shown on another device, delays nothing else, and can be cut again', async ({
  browser,
}) => {
  test.setTimeout(240_000)
  const ada = await openWindow(await browser.newContext(), daemon.link)
  const bob = await openWindow(await browser.newContext(), daemon.link)
  const large = 'All work and no play. 👍 \n'.repeat(40_000)
  await paste(ada, large)
  await typeAt(ada, 'end', 'The end.')
  await addTask(ada, 'Read it')
  await expect(task(bob, 'Read it')).toBeVisible()
  await expect(ada.locator('.peer').first()).toContainText('all stored on disk', {
    timeout: 120_000,
  })
  await expect
    .poll(async () => (await wholeText(bob)).length, { timeout: 120_000 })
    .toBe(large.length + 8)
  expect((await wholeText(bob)) === `${large}The end.`).toBe(true)
  await ada.reload()
  await expect(editor(ada)).toBeVisible()
  expect((await wholeText(ada)) === `${large}The end.`).toBe(true)
  await editor(ada).press('Control+A')
  await editor(ada).press('Control+X')
  await typeAt(ada, 'end', 'After the cut.')
  await expect.poll(() => wholeText(bob), { timeout: 120_000 }).toBe('After the cut.')
})

test('text that cannot be stored is removed and shown with the reason; text typed afterwards is stored', async ({
  browser,
}) => {
  const page = await openWindow(await browser.newContext(), daemon.link)
  await typeAt(page, 'end', 'One line.\n')
  const large = 'All work and no play makes Jack a dull boy. '.repeat(2_700)
  await paste(page, large)
  const refused = page.getByRole('region', { name: 'Taken out' })
  await expect(refused).toContainText('A line of the notes holds at most 100,000 characters')
  await expect(page.locator('.peer').first()).toContainText('all stored on disk')
  const out = await refused.getByRole('textbox').inputValue()
  // Not compared by the matcher, which would print it all.
  expect((await wholeText(page)) + out === `One line.\n${large}`).toBe(true)

  await typeAt(page, 'start', 'Short. ')
  await expect(page.locator('.peer').first()).toContainText('all stored on disk')
  await page.reload()
  await expect.poll(async () => (await wholeText(page)).slice(0, 16)).toBe('Short. One line.')
  // It is there until the person wants no more of it.
  await expect(refused).toBeVisible()
  expect((await refused.getByRole('textbox').inputValue()) === out).toBe(true)
  await refused.getByRole('button', { name: 'Discard it' }).click()
  await expect(refused).toBeHidden()
})

test('a page that cannot store typed text says so, warns when it is closed, and stores the text as soon as it can', async ({
  browser,
}) => {
  const page = await openWindow(await browser.newContext(), daemon.link)
  await typeAt(page, 'end', 'Stored.')
  await expect(page.locator('.peer').first()).toContainText('all stored on disk')
  await setQuota(page, false)
  await typeAt(page, 'end', ' Late.')
  const late = page.locator('#late')
  await expect(late).toContainText('not stored yet. It is tried again')
  await expect(late).toContainText('Free space')
  await expect(page.locator('#summary')).toHaveText('Not all is stored yet')
  await expect(page.locator('.peer').first()).not.toContainText('all stored')

  const asked = page.waitForEvent('dialog')
  await page.close({ runBeforeUnload: true })
  const dialog = await asked
  expect(dialog.type()).toBe('beforeunload')
  await dialog.dismiss()
  expect(await textOf(page)).toBe('Stored. Late.')

  await setQuota(page, true)
  await expect(late).toBeHidden()
  await expect(page.locator('.peer').first()).toContainText('all stored on disk')
  await page.reload()
  await expect.poll(() => textOf(page)).toBe('Stored. Late.')
})

test('text that was not stored when its page was closed is stored by the next page', async ({
  browser,
}) => {
  const page = await openWindow(await browser.newContext(), daemon.link)
  await typeAt(page, 'end', 'Stored.')
  await expect(page.locator('.peer').first()).toContainText('all stored on disk')
  await setQuota(page, false)
  await typeAt(page, 'end', ' Late.')
  await expect(page.locator('#late')).toBeVisible()
  page.once('dialog', (dialog) => void dialog.accept())
  await page.reload()
  await expect.poll(() => textOf(page)).toBe('Stored. Late.')
  await expect(page.locator('.peer').first()).toContainText('all stored on disk')
  const other = await openWindow(await browser.newContext(), daemon.link)
  await expect.poll(() => textOf(other)).toBe('Stored. Late.')
})

test('the editor lets the focus go, also from the end of a line that was wrapped', async ({
  browser,
}) => {
  const page = await openWindow(await browser.newContext(), daemon.link)
  await paste(page, 'one word after the other '.repeat(8))
  await editor(page).press('Control+Home')
  await editor(page).press('End')
  await addTask(page, 'Look away')
  await expect(task(page, 'Look away')).toBeVisible()
})

/** From now on the browser has room for what this page stores, or none. */
const setQuota = (page: Page, room: boolean): Promise<void> =>
  page.evaluate((isThere) => {
    const own = window as unknown as { put?: PropertyDescriptor }
    own.put ??= Object.getOwnPropertyDescriptor(IDBObjectStore.prototype, 'put')!
    const refuse = (): never => {
      throw new DOMException('no room', 'QuotaExceededError')
    }
    const put = isThere ? own.put : { ...own.put, value: refuse }
    Object.defineProperty(IDBObjectStore.prototype, 'put', put)
  }, room)
