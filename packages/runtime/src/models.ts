import {
  PeerplaneError,
  type DocumentShape,
  type Entity,
  type Fields,
  type Json,
  type MapShape,
  type RecordShape,
  type Shape,
  type StateModel,
} from '@peerplane/core'
import { nativeModel } from '@peerplane/crdt-store'

/** A state model that is loaded when it is first needed. */
export type LazyModel = () => Promise<StateModel>

/**
 * The state model of each declared type. Only here is a kind of state matched with what implements it.
 *
 * Throws `invalid-declaration` for two entities of one type, and for a document inside another shape.
 */
export function modelsOf(entities: readonly Entity[]): ReadonlyMap<string, LazyModel> {
  const models = new Map<string, LazyModel>()
  for (const { type, state } of entities) {
    if (models.has(type)) {
      throw new PeerplaneError('invalid-declaration', `two entities are called "${type}"`)
    }
    if (holdsDocument(state)) {
      throw new PeerplaneError(
        'invalid-declaration',
        `entity "${type}" holds a document inside a record or map: declare the document as an entity`,
      )
    }
    models.set(type, modelOf(state))
  }
  return models
}

function modelOf(shape: Shape): LazyModel {
  let loading: Promise<StateModel> | undefined
  const load = async (): Promise<StateModel> => {
    if (shape.kind !== 'document') return nativeModel(shape)
    try {
      const { documentModel } = await import('@peerplane/crdt-store/document')
      return await documentModel(shape as DocumentShape<{ readonly [key: string]: Json }>)
    } catch (error) {
      loading = undefined
      throw error
    }
  }
  return () => (loading ??= load())
}

/** Whether a document stands below the top of a shape: it has its own history and must be an entity of its own. */
function holdsDocument(shape: Shape): boolean {
  const parts: Shape[] = []
  if (shape.kind === 'record') parts.push(...Object.values((shape as RecordShape<Fields>).fields))
  if (shape.kind === 'map') parts.push((shape as MapShape<Shape>).value)
  return parts.some((part) => part.kind === 'document' || holdsDocument(part))
}
