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
import { nativeModel, shapeSignature, type DeclaredModel } from '@peerplane/crdt-store'

/**
 * The state model of each declared type. Only here is a kind of state matched with what implements it.
 *
 * Throws `invalid-declaration` for two entities of one type, and for a document inside another shape.
 */
export function modelsOf(entities: readonly Entity[]): ReadonlyMap<string, DeclaredModel> {
  const models = new Map<string, DeclaredModel>()
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
    const signature = shapeSignature(state, 1)
    models.set(
      type,
      state.kind === 'document'
        ? {
            signature,
            lifecycle: 'folded-when-opened',
            load: loadOnce(() => loadDocumentModel(state)),
          }
        : {
            signature,
            lifecycle: 'folded-as-delivered',
            load: loadOnce(async () => nativeModel(state)),
          },
    )
  }
  return models
}

async function loadDocumentModel(shape: Shape): Promise<StateModel> {
  const { documentModel } = await import('@peerplane/crdt-store/document')
  return documentModel(shape as DocumentShape<{ readonly [key: string]: Json }>)
}

/** Loads at the first call; after a failure, for example without a network, at the next one again. */
function loadOnce(load: () => Promise<StateModel>): () => Promise<StateModel> {
  let loading: Promise<StateModel> | undefined
  return () => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined
      throw error
    })
    return loading
  }
}

/** Whether a document stands below the top of a shape: it has its own history and must be an entity of its own. */
function holdsDocument(shape: Shape): boolean {
  const parts: Shape[] = []
  if (shape.kind === 'record') parts.push(...Object.values((shape as RecordShape<Fields>).fields))
  if (shape.kind === 'map') parts.push((shape as MapShape<Shape>).value)
  return parts.some((part) => part.kind === 'document' || holdsDocument(part))
}
