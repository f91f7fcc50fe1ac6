import { expectRows, faultsOf, type FunctionTable, type Result } from '@peerplane/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { Plane } from '../plane/plane.ts'
import type { OpenPlane } from './fixture.ts'
import { clientTable, planeTable, type Tried } from './plane-table.ts'
import { Page, Thing } from './things.ts'

/** The rows of functions that one kind of plane has beside those of all. */
export type MoreRows = (plane: () => Plane) => FunctionTable

/** Every function that a plane gives, with every argument there is at each of its parameters: nobody else can be asked wrongly. */
export function argumentsContract(open: OpenPlane, more: MoreRows = () => ({})): void {
  const tried = {} as Tried
  const tables: readonly [string, () => object, FunctionTable][] = [
    ['a plane', () => tried.plane, { ...planeTable(tried), ...more(() => tried.plane) }],
    ['a client', () => tried.plane.get(Thing, 'a'), clientTable(tried)],
  ]
  describe.each(tables)('the arguments of %s', (_, owner, table) => {
    beforeEach(async () => {
      tried.plane = await open([Thing, Page], () => undefined)
    })
    afterEach(() => tried.plane.close())

    it('the table of arguments has a row for each function', () => expectRows(owner(), table))

    it.each(Object.entries(table))(
      'every argument is accepted, or refused without a change: %s',
      (__, parameters) => expectNoFaults(tried, parameters),
    )
  })
}

/** Passes every argument there is to every parameter. */
export async function expectNoFaults(
  { plane }: Tried,
  parameters: FunctionTable[string],
): Promise<void> {
  await plane.get(Thing, 'a').put()
  expect(await faultsOf(parameters, await watchFor(plane))).toEqual([])
}

/** Says what a refused call has changed, or one that was taken has broken. */
async function watchFor(plane: Plane): Promise<(result: Result) => Promise<string | undefined>> {
  const look = async (): Promise<string> =>
    JSON.stringify(
      await Promise.all([
        plane.list(Thing),
        plane.get(Thing, 'a').state(),
        plane.get(Page, 'a').state(),
      ]),
    )
  let before = await look()
  return async ({ taken }) => {
    const after = await look()
    const changed = !taken && after !== before ? `changed ${before} to ${after}` : undefined
    before = after
    return changed
  }
}
