import type { Json } from '@peerplane/core'
import { anyArguments, expectRows, type FunctionTable } from '@peerplane/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { documentTable } from './document-handle.fixture.test.ts'
import { createPlane } from './index.ts'
import { assignments, nativeTables } from './native-handles.fixture.test.ts'
import { expectNoFaults } from './testing/arguments.contract.ts'
import { openAlone } from './testing/index.ts'
import type { Tried } from './testing/plane-table.ts'
import { application, Page, Thing, type ThingHandle } from './testing/things.ts'

const tried = {} as Tried

beforeEach(async () => {
  const entities = [Thing, Page]
  tried.plane = createPlane(entities, await openAlone(entities), { report: () => undefined })
})
afterEach(() => tried.plane.close())

const natives = nativeTables(tried)

describe.each(Object.entries(natives))('the handle of "%s"', (field, table) => {
  it('the table of arguments has a row for each function', async () => {
    let found: object = {}
    application.handler = (thing) => void (found = { ...thing[field as keyof ThingHandle] })
    await tried.plane.get(Thing, 'a').run()
    expectRows(found, table)
  })

  it.each(Object.entries(table))(
    'every call is executed, or refused without a change: %s',
    (_, row) => expectNoFaults(tried, row),
  )
})

it('an assignment to a handle of native state is refused and changes nothing', () =>
  expectNoFaults(tried, assignments(tried)))

it.each(Object.entries(documentTable(tried)))(
  'every operation on a document is executed, or refused without a change: %s',
  (_, row: FunctionTable[string]) => expectNoFaults(tried, row),
)

const methods = Object.entries(Object.getOwnPropertyDescriptors(Array.prototype))
  .filter(([name, { value }]) => typeof value === 'function' && name !== 'constructor')
  .map(([name]) => name as 'push')

it.each(methods)(
  'a list of a document stays intact after a call of a list method with any arguments: %s',
  async (method) => {
    const page = tried.plane.get(Page, 'a')
    application.page = (handle) => {
      const items = handle['items'] as unknown[]
      for (const [, value] of anyArguments) {
        for (const given of [[value], [0, value], [0, 0, value]]) {
          try {
            items[method](...given)
          } catch {
            // As on any list: of the language, or a refusal.
          }
        }
      }
      items.push('last')
    }
    await page.run()
    const { items } = await page.state()
    expect((items as readonly Json[]).at(-1)).toBe('last')
    expect(await tried.plane.list(Page)).toMatchObject([{ state: { items } }])
  },
)
