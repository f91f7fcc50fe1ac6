import {
  PeerplaneError,
  reasonOf,
  storedShape,
  type Entity,
  type Shape,
  type ShapeKinds,
  type StateModel,
  type Wins,
} from '@peerplane/core'
import {
  migratedModel,
  eventsModel,
  nativeModel,
  shapeSignature,
  valueModel,
  type DeclaredModel,
  type LifecycleName,
} from '@peerplane/crdt-store'

/** The state model of each declared type. */
export function modelsOf(entities: readonly Entity[]): ReadonlyMap<string, DeclaredModel> {
  return new Map(entities.map((entity) => [entity.type, declaredModel(entity)]))
}

/** How states of one kind of shape are held. */
interface Registered<S> {
  readonly lifecycle: LifecycleName
  /** Raised when rows of an earlier version cannot be used. */
  readonly rowVersion: number
  /** Whether a change has no effect where something is missing that its author saw. */
  readonly needsCauses: boolean
  readonly load: (shape: S, entity: Entity) => Promise<StateModel>
}

const native: Registered<Shape> = {
  lifecycle: 'folded-as-delivered',
  rowVersion: 2,
  needsCauses: false,
  load: async (shape, entity) => nativeModel(shape, winsOf(entity)),
}

/** What wins in a deletion. */
const winsOf = ({ wins }: Entity): { readonly wins?: Wins } => (wins ? { wins } : {})

/** What holds each kind of state. */
export type Registry<Kinds> = { readonly [Kind in keyof Kinds]: Registered<Kinds[Kind]> }

/** Only here is a kind of shape matched with what implements it: a kind that is missing does not compile. */
export const registry: Registry<ShapeKinds> = {
  counter: native,
  'grow-only-counter': native,
  register: native,
  'multi-value-register': native,
  flag: native,
  vote: native,
  set: native,
  'grow-only-set': native,
  text: native,
  map: native,
  list: native,
  tree: native,
  record: native,
  document: {
    lifecycle: 'folded-when-opened',
    rowVersion: 2,
    needsCauses: true,
    load: async (shape, entity) => {
      const { documentModel } = await import('@peerplane/crdt-store/document')
      return documentModel(shape, winsOf(entity))
    },
  },
  events: {
    lifecycle: 'folded-as-delivered',
    rowVersion: 2,
    needsCauses: false,
    load: async (shape, entity) => eventsModel(shape, winsOf(entity)),
  },
  value: {
    lifecycle: 'folded-as-delivered',
    rowVersion: 2,
    needsCauses: false,
    load: async (shape, entity) => valueModel(shape, winsOf(entity)),
  },
}

/** Whether commands must not be decided on a state that has the effect of commits which no longer count: their own effect would be lost. */
export const needsCauses = ({ state }: Entity): boolean => registry[state.kind].needsCauses

function declaredModel(entity: Entity): DeclaredModel {
  const stored = storedShape(entity)
  const { shape, lens } = stored
  const { lifecycle, rowVersion, load }: Registered<never> = registry[shape.kind]
  return {
    signature: shapeSignature(stored, entity.version, rowVersion),
    lifecycle,
    load: loadOnce(async () => {
      const model = await load(shape as never, entity)
      return lens.kind === 'same' ? model : migratedModel(model, lens)
    }),
  }
}

/** Loads at the first call; after a failure, for example without a network, at the next one again. Rejects with `unreachable`. */
export function loadOnce(load: () => Promise<StateModel>): () => Promise<StateModel> {
  let loading: Promise<StateModel> | undefined
  return () => {
    loading ??= load().catch((cause: unknown) => {
      loading = undefined
      const reason = `code that this kind of state needs could not be loaded: ${reasonOf(cause)}`
      // It can pass, so watches read again.
      throw new PeerplaneError('unreachable', reason, { cause })
    })
    return loading
  }
}
