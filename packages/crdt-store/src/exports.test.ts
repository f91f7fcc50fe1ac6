import { expectRows } from '@peerplane/core/testing'
import { it } from 'vitest'

import * as documents from './document/index.ts'
import * as exported from './index.ts'

/*
 * Nothing here is reached by applications or strangers with what the runtime has not checked: commands, queries and declarations are taken
 * at the plane, and runs by the log itself (log/admit.test.ts). A function that is must have rows.
 */
const inner = [
  'batchOfWrite',
  'checkedStore',
  'createMemoryStore',
  'eventsModel',
  'foundedAside',
  'holdsCommits',
  'inListOrder',
  'isListed',
  'isWitnessed',
  'migratedModel',
  'nativeModel',
  'openEntities',
  'openLog',
  'shapeSignature',
  'spaceOf',
  'spaceWrite',
  'valueModel',
]

it('every function that the package exports is known as an inner one', () => {
  expectRows(exported, {}, inner)
  expectRows(documents, {}, ['documentModel'])
})
