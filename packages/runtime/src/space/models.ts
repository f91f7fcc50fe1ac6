import {
  PeerplaneError,
  type Entity,
  type Fields,
  type MapShape,
  type RecordShape,
  type Shape,
  type ShapeKinds,
  type StateModel,
} from '@peerplane/core'
import {
  nativeModel,
  shapeSignature,
  type DeclaredModel,
  type LifecycleName,
} from '@peerplane/crdt-store'

/**
 * The state model of each declared type.
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
    models.set(type, declaredModel(state))
  }
  return models
}

/** How states of one kind of shape are held. */
interface Registered<S> {
  readonly lifecycle: LifecycleName
  /** Raised when rows of an earlier version cannot be used. */
  readonly rowVersion: number
  readonly load: (shape: S) => Promise<StateModel>
}

const native: Registered<Shape> = {
  lifecycle: 'folded-as-delivered',
  rowVersion: 1,
  load: async (shape) => nativeModel(shape),
}

/** What holds each kind of state. */
export type Registry<Kinds> = { readonly [Kind in keyof Kinds]: Registered<Kinds[Kind]> }

/** Only here is a kind of shape matched with what implements it: a kind that is missing does not compile. */
export const registry: Registry<ShapeKinds> = {
  counter: native,
  register: native,
  set: native,
  map: native,
  record: native,
  document: {
    lifecycle: 'folded-when-opened',
    rowVersion: 1,
    load: async (shape) => {
      const { documentModel } = await import('@peerplane/crdt-store/document')
      return documentModel(shape)
    },
  },
}

function declaredModel(shape: Shape): DeclaredModel {
  const { lifecycle, rowVersion, load }: Registered<never> = registry[shape.kind]
  return {
    signature: shapeSignature(shape, rowVersion),
    lifecycle,
    load: loadOnce(() => load(shape as never)),
  }
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
