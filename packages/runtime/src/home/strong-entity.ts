import {
  fromHex,
  hash,
  PeerplaneError,
  SESSION_BYTES,
  toHex,
  utf8,
  type DeviceId,
  type Entity,
  type EntityKey,
  type MapShape,
  type ListShape,
  type Origin,
  type RecordShape,
  type SessionId,
  type Shape,
  type ShapeKind,
  type Timestamp,
  type TreeShape,
} from '@peerplane/core'

/** Event `number` of a strong entity has the origin that a commit `number` of the session of the entity would have. */
export function originOf(
  journal: string,
  entity: EntityKey,
  number: number,
  time: Timestamp,
): Origin {
  const session = hash('strong-session', fromHex(journal), utf8(entity)).subarray(0, SESSION_BYTES)
  return {
    device: toHex(hash('strong-device', fromHex(journal))) as DeviceId,
    session: toHex(session) as SessionId,
    seq: number,
    time,
  }
}

/** Throws `invalid-declaration` for a state that cannot be strong: a document, or one with votes, which belong to the device of the caller. */
export function checkStrong({ type, state }: Entity): void {
  const kind = kindsIn(state).find((each) => each === 'document' || each === 'vote')
  if (kind === undefined) return
  const reason = `entity "${type}" cannot be strong, because its state contains a ${kind}`
  throw new PeerplaneError('invalid-declaration', reason)
}

function kindsIn(shape: Shape): ShapeKind[] {
  return [shape.kind, ...partsOf(shape).flatMap(kindsIn)]
}

function partsOf(shape: Shape): readonly Shape[] {
  if (shape.kind === 'record') return Object.values((shape as RecordShape<never>).fields)
  if (shape.kind === 'map') return [(shape as MapShape<Shape>).value]
  if (shape.kind === 'list') return [(shape as ListShape<Shape>).item]
  if (shape.kind === 'tree') return [(shape as TreeShape<Shape>).node]
  return []
}
