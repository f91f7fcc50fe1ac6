import { createPlane } from '../index.ts'
import { openAlone, planeContract } from '../testing/index.ts'

planeContract('the runtime of this process', async (entities, report) =>
  createPlane(entities, await openAlone(entities), { report }),
)
