import { createPlane } from './index.ts'
import { openAlone, planeContract } from './testing/index.ts'

planeContract('the runtime of this process', async (entities) =>
  createPlane(entities, await openAlone(entities)),
)
