import {
  decodeCanonical,
  splitEntityKey,
  type DeviceId,
  type EntityKey,
  type EventsShape,
  type Json,
  type StateModel,
  type ValueShape,
} from '@peerplane/core'

import { wholeModel, type WinsOption } from '../whole/whole-model.ts'
import { loadStrands, WriterState } from './writer-state.ts'
import { eventsKind, valueKind, type WriterKind } from './writing.ts'

/** Version of the bodies and snapshots of states with a single writer. */
const WRITER_VERSION = 1

/** Makes the state model for a state that one writer folds from events. */
export const eventsModel = (
  shape: EventsShape<Json, never>,
  options: WinsOption = {},
): StateModel => writerModel(eventsKind(shape), options)

/** Makes the state model for a state that one writer sets as a whole. */
export const valueModel = (shape: ValueShape<Json>, options: WinsOption = {}): StateModel =>
  writerModel(valueKind(shape), options)

const writerModel = (kind: WriterKind, options: WinsOption): StateModel =>
  wholeModel(
    {
      version: WRITER_VERSION,
      judgesLater: false,
      create: (entity) => new WriterState(kind, entity && ownerOf(entity)),
      load: (snapshot, entity) => {
        const strands = loadStrands(decodeCanonical(snapshot), kind.values)
        return new WriterState(kind, entity && ownerOf(entity), strands)
      },
      ownerOf,
    },
    options,
  )

/** The device that the id of an entity names: the id is the id of the device, or begins with it and a slash. */
function ownerOf(entity: EntityKey): DeviceId | undefined {
  const [first] = splitEntityKey(entity).id.split('/')
  return first !== undefined && /^[0-9a-f]{64}$/.test(first) ? (first as DeviceId) : undefined
}
