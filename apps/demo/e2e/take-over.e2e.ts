import { expect, test, type BrowserContext, type Page } from '@playwright/test'

import { daemonForEach } from './support/each-test.ts'
import { addTask, openWindow, role, task, textOf, typeAt } from './support/window.ts'

const daemon = daemonForEach()

/** Ends or freezes the leading page. The function that it returns wakes the page up again. */
type End = (page: Page, context: BrowserContext) => Promise<(() => Promise<unknown>) | undefined>

const ends: Record<string, End> = {
  'is closed': async (page) => {
    await page.close()
    return undefined
  },
  crashes: async (page, context) => {
    const session = await context.newCDPSession(page)
    // Not answered: the page is gone.
    session.send('Page.crash').catch(() => undefined)
    await page.waitForEvent('crash')
    return undefined
  },
  'hangs while it reads': (page, context) => hangAt(page, context, 'get'),
  'hangs while it writes': (page, context) => hangAt(page, context, 'put'),
}
const tasks = ['Buy milk', 'Read a book']
const letters = 'abcdefghijklmnopqrstuvwxyz'.repeat(3)

for (const [end, happens] of Object.entries(ends)) {
  test(`text typed while the leading tab ends or hangs is kept exactly once, also after a reload: it ${end}`, async ({
    browser,
  }) => {
    const context = await browser.newContext()
    const leader = await openWindow(context, daemon.link)
    await typeAt(leader, 'end', 'Begun. ')
    await expect(leader.locator('.peer').first()).toContainText('all stored on disk')
    const [heir, third] = [
      await openWindow(context, daemon.link),
      await openWindow(context, daemon.link),
    ]
    await expect.poll(() => role(leader)).toBe('Leads')

    const typing = typeAt(heir, 'end', letters)
    await expect.poll(() => textOf(heir)).toContain('xyz')
    const wake = await happens(leader, context)
    for (const title of tasks) await addTask(third, title)
    await typing
    const expectAll = async (page: Page): Promise<void> => {
      await expect.poll(() => textOf(page)).toBe(`Begun. ${letters}`)
      for (const title of tasks) await expect(task(page, title)).toHaveCount(1)
    }
    for (const page of [heir, third]) {
      await expect(page.locator('.peer').first()).toContainText('all stored on disk')
      await expectAll(page)
    }
    await expect
      .poll(async () => new Set([await role(heir), await role(third)]))
      .toEqual(new Set(['Follows', 'Leads']))
    if (wake) {
      await wake()
      // It is one of several again.
      await expectAll(leader)
      await expect.poll(() => role(leader)).toBe('Follows')
      await addTask(leader, 'Awake again')
      await expect(task(heir, 'Awake again')).toBeVisible()
    }
    await Promise.all([heir.reload(), third.reload()])
    for (const page of [heir, third]) await expectAll(page)
  })
}

/** The page stands still at the end of the task in which it sends its next request of this kind to its database. */
async function hangAt(
  page: Page,
  context: BrowserContext,
  request: 'get' | 'put',
): Promise<() => Promise<unknown>> {
  const session = await context.newCDPSession(page)
  await session.send('Debugger.enable')
  const paused = new Promise((resolve) => session.once('Debugger.paused', resolve))
  await page.evaluate((name) => {
    const original = IDBObjectStore.prototype[name] as (...given: unknown[]) => IDBRequest
    IDBObjectStore.prototype[name] = function (this: IDBObjectStore, ...given: unknown[]) {
      IDBObjectStore.prototype[name] = original
      queueMicrotask(() => {
        // eslint-disable-next-line no-debugger
        debugger
      })
      return original.apply(this, given)
    }
  }, request)
  await paused
  return () => session.send('Debugger.resume')
}
