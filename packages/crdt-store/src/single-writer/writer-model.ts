import {
  decodeCanonical,
  PeerplaneError,
  splitEntityKey,
  type DeviceId,
  type EntityKey,
  type EventsShape,
  type Json,
  type StateModel,
  type ValueShape,
} from '@peerplane/core'

import { loadStrands, WriterState } from './writer-state.ts'
import { eventsKind, valueKind, type WriterKind } from './writing.ts'

/** Version of the bodies and snapshots of states with a single writer. */
const WRITER_VERSION = 1

/** Makes the state model for a state that one writer folds from events. */
export const eventsModel = (shape: EventsShape<Json, never>): StateModel =>
  writerModel(eventsKind(shape))

/** Makes the state model for a state that one writer sets as a whole. */
export const valueModel = (shape: ValueShape<Json>): StateModel => writerModel(valueKind(shape))

const writerModel = (kind: WriterKind): StateModel => ({
  version: WRITER_VERSION,
  open: async (snapshot, entity) => {
    const owner = entity && ownerOf(entity)
    if (!snapshot) return new WriterState(kind, owner)
    try {
      return new WriterState(kind, owner, loadStrands(decodeCanonical(snapshot), kind.values))
    } catch (cause) {
      throw new PeerplaneError('unreadable', 'the stored state is damaged', { cause })
    }
  },
})

/** The device that the id of an entity names: the id is the id of the device, or begins with it and a slash. */
function ownerOf(entity: EntityKey): DeviceId | undefined {
  const [first] = splitEntityKey(entity).id.split('/')
  return first !== undefined && /^[0-9a-f]{64}$/.test(first) ? (first as DeviceId) : undefined
}
