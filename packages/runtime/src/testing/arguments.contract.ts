import { expectRows, faultsOf, type FunctionTable, type Result } from '@peerplane/core/testing'
import { describe, expect, it } from 'vitest'

import type { Plane } from '../plane.ts'
import type { OpenPlane } from './fixture.ts'
import { clientTable, planeTable, Thing, type Tried } from './plane-table.ts'

/** The rows of functions that one kind of plane has beside those of all. */
export type MoreRows = (plane: () => Plane) => FunctionTable

/** Every function that a plane gives, with every argument there is at each of its parameters: nobody else can be asked wrongly. */
export function argumentsContract(open: OpenPlane, more: MoreRows = () => ({})): void {
  const tried = {} as Tried
  const tables: readonly [string, () => object, FunctionTable][] = [
    ['a plane', () => tried.plane, { ...planeTable(tried), ...more(() => tried.plane) }],
    ['a client', () => tried.plane.get(Thing, 'a'), clientTable(tried)],
  ]
  describe.each(tables)('what %s is asked', (_, owner, table) => {
    it('has a row for each function', async () => {
      tried.plane = await open([Thing], () => undefined)
      expectRows(owner(), table)
      await tried.plane.close()
    })

    it.each(Object.entries(table))(
      '%s: is answered, or refused and changes nothing',
      async (__, parameters) => {
        tried.plane = await open([Thing], () => undefined)
        await tried.plane.get(Thing, 'a').put()
        const faults = await faultsOf(parameters, await watchFor(tried.plane))
        expect(faults).toEqual([])
        await tried.plane.close()
      },
    )
  })
}

/** Says what a refused call has changed, or one that was taken has broken. */
async function watchFor(plane: Plane): Promise<(result: Result) => Promise<string | undefined>> {
  const look = async (): Promise<string> =>
    JSON.stringify([await plane.list(Thing), await plane.get(Thing, 'a').state()])
  let before = await look()
  return async ({ taken }) => {
    const after = await look()
    const changed = !taken && after !== before ? `changed ${before} to ${after}` : undefined
    before = after
    return changed
  }
}
